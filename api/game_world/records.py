"""Records of the topic, as the projection's script takes them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from game_events import EVENT_TYPES, InvalidEventError, decode
from game_events.effects import effects, facts
from game_events.names import NAMES, normalised

from game_world.commands import names, once_key, pending_name, seen_place

_NAMES = ("player", "event_type", "event_id")

Record = list[Any]
"""Name among the pending ones, effects, facts, player, whether it depends on nothing; what it is counted once by,
whether it is marked idempotent, received_at, where it is noted as seen; names as given."""


def records(values: Sequence[bytes | None], are_pending: Callable[[Sequence[str]], Sequence[bool]]) -> list[Record]:
    """Make records of values, leaving out what is no event.

    Of a pending event the effects are in the world: it is not looked at any closer, which is most of the cost.
    """
    parsed = [(value, event) for value in values if (event := _parsed(value))]
    names = [pending_name(event) for _, event in parsed]
    made = []
    for name, (value, event), is_pending in zip(names, parsed, are_pending(names), strict=True):
        if is_pending:
            made.append([name, False, False, event["player"], False, *_once(event)])
        elif valid := _valid(value):
            changed = [list(one) for one in effects(valid)], [list(one) for one in facts(valid)]
            is_free = EVENT_TYPES[valid["event_type"]].is_free
            made.append([name, *changed, valid["player"], is_free, *_once(valid)])
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


def _once(event: Mapping[str, Any]) -> list[Any]:
    is_marked, seen = bool(event.get("idempotent")), seen_place(event)
    return [once_key(event) if is_marked or seen else "", is_marked, event["received_at"], seen or False, names(event)]
