"""Keep the world up to date with the topic, or forget players."""

import argparse
import gc
import logging
import signal
import sys
import time
from collections.abc import Sequence
from threading import Event

from confluent_kafka import KafkaException
from game_events import name_lists
from game_events.names import normal
from game_settings.reader import SettingsError
from game_settings.start import start
from redis.exceptions import RedisError

from game_world.events_table import TableError
from game_world.metrics import Metrics
from game_world.projection import Projection
from game_world.settings import PREFIXES, Settings
from game_world.store import Store, StoreRefusedError

_log = logging.getLogger("game_world")

_PAUSE = 1.0
"""Seconds before the next attempt, after a server did not answer."""
_TABLE_PAUSE = 10.0
"""The same for Trino, which takes minutes to start."""
_PATIENCE = 300.0
"""Seconds to wait for a snapshot without forgotten players."""
_POLL = 0.2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m game_world", description=__doc__)
    forget = "remove these players from the world, and exit"
    parser.add_argument(
        "--forget", nargs="+", action="extend", type=name_lists.name, default=[], metavar="PLAYER", help=forget
    )
    name_lists.add_file(parser, "--forget-from")
    chosen = parser.parse_args()
    try:
        settings = start(Settings, PREFIXES)
        if not settings.world_url:
            raise SettingsError("WORLD_URL: expected the store's address, such as redis://127.0.0.1:6379, got none")
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if players := chosen.forget + chosen.forget_from:
        return _forget(settings, players)
    return _run(settings)


def _run(settings: Settings) -> int:
    # Without this the garbage collector examines all imported objects again and again, which takes a fifth of the time.
    gc.freeze()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    metrics = Metrics()
    metrics.serve(settings.metrics_host, settings.metrics_port)
    while not stop.is_set():
        try:
            Projection(settings, Store(settings.world_url), metrics).run(stop)
        except StoreRefusedError as error:
            _log.error("%s", error)
            return 2
        except TableError as error:
            metrics.failed()
            _log.error(
                "Kafka has dropped events that the world lacks, and the table `events` cannot be read: %s: again in "
                "%.0f s; without TRINO_URL the world would go on without these events",
                error,
                _TABLE_PAUSE,
            )
            stop.wait(_TABLE_PAUSE)
        except (KafkaException, RedisError, TimeoutError) as error:
            metrics.failed()
            _log.warning("%s: %s: again in %.0f s", type(error).__name__, error, _PAUSE)
            stop.wait(_PAUSE)
    return 0


def _forget(settings: Settings, players: Sequence[str]) -> int:
    store = Store(settings.world_url)
    names = list(dict.fromkeys(map(normal, players)))
    they = "the player" if len(names) == 1 else f"{len(names)} players"
    try:
        number = max(store.forget(name) for name in names)
        deadline = time.monotonic() + _PATIENCE
        while store.forgettings()[1] < number:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"the store has forgotten {they}, but snapshots may still name them: the process `world` has to "
                    "run, be caught up and be able to write its snapshots; then forget them again"
                )
            time.sleep(_POLL)
    except (RedisError, TimeoutError) as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"the world has forgotten {they}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
