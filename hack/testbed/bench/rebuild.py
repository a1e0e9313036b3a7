"""Rebuilding the world's store: from the topic, and from a snapshot."""

import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from game_events import SCHEMA_VERSION, encode
from game_events.event_ids import uuid7s
from game_world.store import Store

from testbed.bench.cost import cpu_seconds
from testbed.bench.report import Row
from testbed.bench.traffic import is_keyed, is_retry, write
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

SERVERS = ["kafka", "store"]
PLAYERS = 100_000
PATIENCE = 900
EVENTS_TARGET, SECONDS_TARGET = 10_000_000, 60


@dataclass(frozen=True)
class Rebuild:
    """What it took until the world was caught up, start of the process included: seconds, and CPU seconds of both."""

    seconds: float
    world: float
    store: float


@dataclass(frozen=True)
class Measured:
    """`taken` is the seconds that a snapshot took, and `bytes` its size."""

    events: int
    replayed: Rebuild
    taken: float
    bytes: int
    restored: Rebuild


def measure(stack: Stack, events: int) -> Measured:
    print(f"world: {events:,} events of {PLAYERS:,} players", flush=True)
    write(stack.settings, records(events), PATIENCE, **{"compression.type": "lz4"})
    replayed = _rebuild(stack)
    folder = stack.settings.data / "world"
    wait_until("the snapshot", lambda: _snapshots(folder), PATIENCE)
    wait_until("its log line", lambda: _taken(stack), 60)
    size, taken = _snapshots(folder)[0].stat().st_size, _taken(stack)
    stack["world"].stop()
    Store(stack.settings.store_url).redis.flushall()
    restored = _rebuild(stack)
    stack["world"].stop()
    return Measured(events, replayed, float(taken or 0), size, restored)


def records(events: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values: events of players who meet, equip themselves, join guilds and declare wars.

    Half of them are keyed, and a few are retries.
    """
    now = round(time.time() * 1000)
    event: dict[str, Any] = {}
    for number, event_id in enumerate(uuid7s(now, events)):
        if not (is_retry(number) and "idempotent" in event):
            event = _event(number, event_id)
        yield event["player"].encode(), encode(event | {"received_at": now + number})


def _event(number: int, event_id: str) -> dict[str, Any]:
    event = {"event_id": event_id, "schema_version": SCHEMA_VERSION, "player": f"player {number % PLAYERS}"}
    turn = number // PLAYERS
    if is_keyed(number + turn):
        event |= {"event_id": str(uuid.uuid4()), "idempotent": True}
    match turn % 10:
        case 1:
            return event | {"event_type": "join_guild", "guild": f"guild {number % 1000}"}
        case 2:
            return event | {"event_type": "declare_war", "target": f"player {number * 7 % PLAYERS}"}
        case _:
            return event | {"event_type": "purchase_sword", "strength": number % 10 + 1}


def _rebuild(stack: Stack) -> Rebuild:
    """Start the world on an empty store, and wait until it is caught up."""
    before, began = cpu_seconds(stack["store"].pid or 0), time.monotonic()
    stack["world"].start()
    wait_until("the world", stack["world"].ready, PATIENCE, pause=0.1)
    seconds = time.monotonic() - began
    return Rebuild(seconds, cpu_seconds(stack["world"].pid or 0), cpu_seconds(stack["store"].pid or 0) - before)


def _snapshots(folder: Path) -> list[Path]:
    return sorted(folder.glob("world-*.json.gz"))


def _taken(stack: Stack) -> str | None:
    found = re.search(r"a snapshot of \d+ entries was taken in ([\d.]+) s", stack["world"].log.read_text())
    return found[1] if found else None


def rows(measured: Measured) -> list[Row]:
    replayed, restored, events = measured.replayed, measured.restored, measured.events
    rate = events / replayed.seconds
    target = f"{EVENTS_TARGET:,} events in {SECONDS_TARGET} s"
    return [
        Row(
            f"events/s, an empty store rebuilt from {events:,} events in Kafka",
            f"{rate:,.0f}",
            target=target,
            met=rate >= EVENTS_TARGET / SECONDS_TARGET,
        ),
        Row(
            "CPU per event of it, world + store",
            f"{1e6 * replayed.world / events:.0f} + {1e6 * replayed.store / events:.0f} µs",
        ),
        Row(
            f"an empty store restored from a snapshot of {PLAYERS:,} players, whatever the number of events",
            f"{restored.seconds:.1f} s",
            f"{replayed.seconds:.1f} s from {events:,} events in Kafka",
            f"{restored.seconds / replayed.seconds:.2f}",
            f"at most {SECONDS_TARGET} s",
            restored.seconds <= SECONDS_TARGET,
        ),
        Row("CPU of it, world + store", f"{restored.world:.1f} + {restored.store:.1f} s"),
        Row(
            f"taking a snapshot of {PLAYERS:,} players, while which nothing is projected",
            f"{measured.taken:.1f} s, {measured.bytes / 1e6:.0f} MB",
        ),
    ]
