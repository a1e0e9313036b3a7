"""Which records of a topic count: the rule of views and world once more, for tests to compare with."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from game_events.event_ids import is_service_made

Event = Mapping[str, Any]

DAY = 24 * 3600 * 1000


def counted(events: Iterable[Event]) -> Iterator[Event]:
    """Yield those that count, of events in the order of partition and offset."""
    events = list(events)
    unmarked = {_identity(event) for event in events if not event.get("idempotent")}
    last: dict[tuple[str, ...], int] = {}
    for event in events:
        identity = _identity(event)
        if event.get("idempotent"):
            before, last[identity] = last.get(identity), event["received_at"]
            if before is not None and abs(event["received_at"] - before) <= DAY:
                continue
            if identity in unmarked and is_service_made(event["event_id"]):
                continue
        yield event


def _identity(event: Event) -> tuple[str, ...]:
    return event["player"], event["event_type"], event["event_id"]
