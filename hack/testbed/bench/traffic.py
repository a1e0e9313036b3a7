"""The benchmarks' traffic: players' requests and their events, made from the examples of the contract."""

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from confluent_kafka import Producer
from game_api.bulk import PATH
from game_api.items import FROM_REQUEST
from game_api.origin import KEY_HEADER
from game_events import EVENT_TYPES, FIRST, encode
from game_events.event_ids import uuid7s

from testbed.bench.cost import BenchError
from testbed.bench.load import NEW_KEY
from testbed.settings import ROOT, Settings

PLAYERS = 10_000
DECIDED = ("read_stars", "solve_riddle", "pray")
"""Actions that the world decides, and that always succeed for players who do nothing else."""
KEYED_EVERY = 2
"""Of this many events, one has a key of its client's, as all events of the SDKs and of `/play` do."""
RETRIED_EVERY = 100
"""Of this many records, one repeats the record before it, if that has a key."""
_HEADERS = "User-Agent: curl/8.14.1\r\nAccept: */*\r\n"


def player(number: int) -> str:
    return f"knight{number % PLAYERS}.comcast.com"


def is_keyed(number: int) -> bool:
    """Tell whether the event of this number has a key of its client's."""
    return number % KEYED_EVERY == 0


def is_retry(number: int) -> bool:
    """Tell whether the record of this number repeats the one before it, if that has a key."""
    return number % RETRIED_EVERY == 1


def examples() -> list[dict[str, Any]]:
    """Return one event of every type."""
    return [json.loads(file.read_text()) for file in sorted((ROOT / "api/examples").glob("*.json"))]


def templates(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each of these events KEYED_EVERY times, one of them as its client would send it with a key."""
    return [one | ({"idempotent": True} if is_keyed(number) else {}) for one in found for number in range(KEYED_EVERY)]


def free_templates() -> list[dict[str, Any]]:
    """Return the templates of all unconditional types."""
    return templates(event for event in examples() if EVENT_TYPES[event["event_type"]].is_free)


def single_requests() -> list[bytes]:
    """Return requests of one event each: every unconditional action, by many players, of whom half send keys.

    No request is a retry: those that the API is compared with would write it again.
    """
    return _by_many("GET", (event_type.request for event_type in FIRST))


def decided_requests() -> list[bytes]:
    """Return requests of one event each that the world decides."""
    return _by_many("POST", (EVENT_TYPES[name].request for name in DECIDED))


def health_requests() -> list[bytes]:
    return [_single("GET", "/healthz", player(number)) for number in range(100)]


def _by_many(method: str, paths: Iterable[str]) -> list[bytes]:
    chosen = list(paths)
    return [
        _single(method, path, player(number), f"{KEY_HEADER}: {NEW_KEY}\r\n" if is_keyed(number) else "")
        for number in range(100)
        for path in chosen
    ]


def _single(method: str, path: str, host: str, headers: str = "") -> bytes:
    length = "Content-Length: 0\r\n" if method == "POST" else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{_HEADERS}{headers}{length}\r\n".encode()


def bulk_requests(size: int) -> list[bytes]:
    """Return bulk requests of `size` events each, of which half have keys."""
    items = [
        {k: v for k, v in one.items() if k not in FROM_REQUEST | {"event_id"}}
        | ({"event_id": NEW_KEY} if "idempotent" in one else {})
        for one in free_templates()
    ]
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
    """Yield keys and values for the topic: valid events, half of them keyed, and a few retries."""
    chosen = free_templates()
    event: dict[str, Any] = {}
    for first in range(0, count, 1000):
        now = int(time.time() * 1000)
        for number, event_id in enumerate(uuid7s(now, min(1000, count - first)), first):
            if not (is_retry(number) and "idempotent" in event):
                template = chosen[number % len(chosen)]
                own = str(uuid.uuid4()) if "idempotent" in template else event_id
                event = template | {"event_id": own, "player": player(number)}
            yield event["player"].encode(), encode(event | {"received_at": now})


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
