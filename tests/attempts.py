"""The rule by which a retried event counts once, implemented again for tests to compare views and world with."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from game_events.event_ids import is_service_made

Event = Mapping[str, Any]

DAY = 24 * 3600 * 1000


def counted(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events that count; `events` are in the order of partition and offset."""
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
