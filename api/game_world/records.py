"""Records of the topic in the form that project.lua takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import orjson
from game_events import EVENT_TYPES, InvalidEventError, decode
from game_events.effects import Effect, Fact, effects, facts
from game_events.names import NAMES, normalised

from game_world.commands import Json, names, once_key, pending_name, seen_place

_NAMES = ("player", "event_type", "event_id")


class Record(TypedDict):
    name: str
    """Among the pending events."""
    player: str
    at: int
    """The event's received_at."""
    is_free: bool
    """Whether the event has no precondition."""
    is_marked: bool
    """Whether it has an Idempotency-Key."""
    once: NotRequired[str]
    """What it is counted once by; without it the record always counts."""
    seen: NotRequired[Json]
    names: NotRequired[dict[str, str]]
    effects: NotRequired[list[Effect]]
    """Missing, as the facts, if the event is pending."""
    facts: NotRequired[list[Fact]]


def records(values: Sequence[bytes | None], are_pending: Callable[[Sequence[str]], Sequence[bool]]) -> list[Record]:
    """Make records of values, leaving out those that are no events.

    The effects of a pending event are applied already: it is not validated, which is most of the cost.
    """
    parsed = [(value, event) for value in values if (event := _parsed(value))]
    pending = [pending_name(event) for _, event in parsed]
    made, confirmed = [], set()
    for name, (value, event), is_pending in zip(pending, parsed, are_pending(pending), strict=True):
        # Only the first of several records of an event confirms it.
        if is_pending and name not in confirmed:
            confirmed.add(name)
            made.append(_record(name, event))
        elif valid := _valid(value):
            record = _record(name, valid)
            record["is_free"] = EVENT_TYPES[valid["event_type"]].is_free
            record["effects"], record["facts"] = [*effects(valid)], [*facts(valid)]
            made.append(record)
    return made


def _parsed(value: bytes | None) -> Mapping[str, Any] | None:
    """Return what looks like an event."""
    try:
        event = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    named = isinstance(event, dict) and all(isinstance(event.get(name), str) for name in _NAMES)
    named = named and all(isinstance(event.get(name, ""), str) for name in NAMES)
    return normalised(event) if named and "received_at" in event else None


def _valid(value: bytes | None) -> Mapping[str, Any] | None:
    try:
        return normalised(decode(value))
    except InvalidEventError:
        return None


def _record(name: str, event: Mapping[str, Any]) -> Record:
    is_marked, seen = bool(event.get("idempotent")), seen_place(event)
    record = Record(name=name, player=event["player"], at=event["received_at"], is_free=False, is_marked=is_marked)
    if is_marked or seen:
        record["once"] = once_key(event)
    if seen:
        record["seen"] = seen
    if given := names(event):
        record["names"] = given
    return record
