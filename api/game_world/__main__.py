"""Keep the world up with the topic, or forget a player. The settings are the API's."""

import argparse
import gc
import signal
import sys
from threading import Event

from confluent_kafka import KafkaException
from game_events.names import normal
from redis.exceptions import RedisError

from game_world.projection import Projection
from game_world.settings import Settings
from game_world.store import Store, StoreRefusedError

_PAUSE = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m game_world", description=__doc__)
    parser.add_argument("--forget", metavar="PLAYER", help="remove this player from the world, and end")
    chosen = parser.parse_args()
    settings = Settings.from_environment()
    if not settings.world_url:
        print("error: WORLD_URL: expected the address of the store, such as redis://127.0.0.1:6379", file=sys.stderr)
        return 2
    if chosen.forget is not None:
        return _forget(settings, chosen.forget)
    # Else the collector looks at all that was imported again and again: a fifth of the time.
    gc.freeze()
    told = Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, lambda *_: told.set())
    while not told.is_set():
        try:
            Projection(settings, Store(settings.world_url)).run(told)
        except StoreRefusedError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except (KafkaException, RedisError, TimeoutError) as error:
            print(f"{type(error).__name__}: {error}: again in {_PAUSE:.0f} s", file=sys.stderr, flush=True)
            told.wait(_PAUSE)
    return 0


def _forget(settings: Settings, player: str) -> int:
    try:
        Store(settings.world_url).forget(normal(player))
    except RedisError as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print("the world has forgotten the player")
    return 0


if __name__ == "__main__":
    sys.exit(main())
