"""The rule by which a retried event counts once, implemented again for tests to compare views and world with."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from game_events.event_ids import is_service_made

Event = Mapping[str, Any]

DAY = 24 * 3600 * 1000


def counted(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events that count; `events` are in the order of partition and offset."""
    events = list(events)
    attempts: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        if event.get("idempotent") or is_service_made(event["event_id"]):
            attempts[_identity(event)].append(event)
    for event in events:
        if not event.get("idempotent") or _is_first(event, attempts[_identity(event)]):
            yield event


def _is_first(event: Event, attempts: Sequence[Event]) -> bool:
    place = next(index for index, one in enumerate(attempts) if one is event)
    others = [*attempts[:place][-1:], *(one for one in attempts[place:] if not one.get("idempotent"))]
    return all(abs(event["received_at"] - one["received_at"]) > DAY for one in others)


def _identity(event: Event) -> tuple[str, ...]:
    return event["player"], event["event_type"], event["event_id"]
