"""The benchmarks' traffic: players' requests and their events, made from the examples of the contract."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from confluent_kafka import Producer
from game_api.bulk import PATH
from game_api.items import FROM_REQUEST
from game_events import EVENT_TYPES, FREE, encode
from game_events.event_ids import uuid7s

from testbed.bench.cost import BenchError
from testbed.settings import ROOT, Settings

PLAYERS = 10_000
DECIDED = ("read_stars", "solve_riddle", "pray")
"""Actions that the world decides, and that always succeed for players who do nothing else."""
_HEADERS = "User-Agent: curl/8.14.1\r\nAccept: */*\r\n"


def player(number: int) -> str:
    return f"knight{number % PLAYERS}.comcast.com"


def examples() -> list[dict[str, Any]]:
    """Return one event of every unconditional type."""
    found = [json.loads(file.read_text()) for file in sorted((ROOT / "api/examples").glob("*.json"))]
    return [event for event in found if EVENT_TYPES[event["event_type"]].is_free]


def single_requests() -> list[bytes]:
    """Return requests of one event each: every unconditional action, by many players."""
    return _by_many("GET", (event_type.request for event_type in FREE))


def decided_requests() -> list[bytes]:
    """Return requests of one event each that the world decides."""
    return _by_many("POST", (EVENT_TYPES[name].request for name in DECIDED))


def health_requests() -> list[bytes]:
    return _by_many("GET", ["/healthz"])


def _by_many(method: str, paths: Iterable[str]) -> list[bytes]:
    chosen = list(paths)
    length = "Content-Length: 0\r\n" if method == "POST" else ""
    return [
        f"{method} {path} HTTP/1.1\r\nHost: {player(number)}\r\n{_HEADERS}{length}\r\n".encode()
        for number in range(100)
        for path in chosen
    ]


def bulk_requests(size: int) -> list[bytes]:
    """Return bulk requests of `size` events each."""
    items = [{k: v for k, v in one.items() if k not in FROM_REQUEST | {"event_id"}} for one in examples()]
    bodies = []
    for first in range(0, 20 * size, size):
        chosen = [items[i % len(items)] | {"player": player(i)} for i in range(first, first + size)]
        bodies.append(json.dumps(chosen).encode())
    return [
        f"POST {PATH} HTTP/1.1\r\nHost: {player(0)}\r\n{_HEADERS}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
        for body in bodies
    ]


def records(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values for the topic: valid events with unique ids."""
    templates = examples()
    for first in range(0, count, 1000):
        now = int(time.time() * 1000)
        for number, event_id in enumerate(uuid7s(now, min(1000, count - first)), first):
            who = player(number)
            event = templates[number % len(templates)] | {"event_id": event_id, "received_at": now, "player": who}
            yield who.encode(), encode(event)


def fill(settings: Settings, count: int) -> None:
    """Write `count` records to the topic."""
    print(f"writing {count} events to the topic", flush=True)
    write(settings, records(count), 60)


def write(settings: Settings, found: Iterable[tuple[bytes, bytes]], patience: float, **options: str) -> None:
    """Write keys and values to the topic; `options` are further ones of the producer.

    Raises BenchError if Kafka does not acknowledge them all within `patience` seconds after the last.
    """
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 50, **options})
    for key, value in found:
        while True:
            try:
                producer.produce(settings.topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(patience):
        raise BenchError(f"Kafka did not acknowledge all events in {patience:.0f} s")
