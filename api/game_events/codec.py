"""The JSON encoding of events: each event is one object, the value of one Kafka record."""

import json
from collections.abc import Mapping
from typing import Any

from game_events.catalog import COMMON_FIELDS, EVENT_TYPES
from game_events.fields import Field, to_json

UNKNOWN_TYPE = "expected one of " + ", ".join(EVENT_TYPES)
UNKNOWN_FIELD = "is no field of this event type"
MISSING_FIELD = "is missing"
NO_VALUE = "has no value (a tombstone)"
NOT_UTF8 = "is not UTF-8"
NOT_AN_OBJECT = "is not a JSON object"

RECORD = "record"
"""The field that an error names when the whole record is wrong."""

_SHOWN = 64
"""How many characters of a client's text an error message repeats."""


def shown(text: str) -> str:
    """Return a client's text as an error message may quote it: shortened, printable and valid UTF-8."""
    return printable(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def printable(text: str) -> str:
    """Escape everything in a text that is not printable, such as control characters and lone surrogates."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class InvalidEventError(ValueError):
    """An invalid event. The message is `field: problem`, with the field's name shortened by `shown`."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = shown(field)
        super().__init__(f"{self.field}: {problem}")
        self.problem = problem


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Decode a JSON object (an `object_pairs_hook`); raise ValueError if it repeats a key."""
    decoded = dict(pairs)
    if len(decoded) < len(pairs):
        raise ValueError("a key is repeated")
    return decoded


FIELDS_OF_TYPE: dict[str, dict[str, Field]] = {
    name: {field.name: field for field in (*COMMON_FIELDS, *event_type.own_fields)}
    for name, event_type in EVENT_TYPES.items()
}
_REQUIRED = {name: [f.name for f in fields.values() if f.required] for name, fields in FIELDS_OF_TYPE.items()}
# json.loads with a hook would create a decoder per event.
from_json = json.JSONDecoder(object_pairs_hook=without_repeats).decode
"""Decode JSON; raise ValueError if it is none, or if an object repeats a key."""


def validate(event: Mapping[str, Any], added_later: frozenset[str] = frozenset()) -> None:
    """Raise InvalidEventError, which names the field, unless the event is valid.

    Fields in `added_later` may be missing, because the caller will add them.
    """
    if "event_type" not in event:
        raise InvalidEventError("event_type", MISSING_FIELD)
    event_type = event["event_type"]
    if type(event_type) is not str or event_type not in EVENT_TYPES:
        raise InvalidEventError("event_type", UNKNOWN_TYPE)
    for name in _REQUIRED[event_type]:
        if name not in event and name not in added_later:
            raise InvalidEventError(name, MISSING_FIELD)
    validate_values(event_type, event)


def validate_values(event_type: str, values: Mapping[str, Any]) -> None:
    """Raise InvalidEventError for the first value that the (existing) `event_type` does not allow."""
    fields = FIELDS_OF_TYPE[event_type]
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            raise InvalidEventError(name, UNKNOWN_FIELD)
        if not field.allows(value):
            raise InvalidEventError(name, f"expected {field.expectation}")


def encode(event: Mapping[str, Any]) -> bytes:
    """Encode a valid event as compact UTF-8 JSON."""
    return to_json(event).encode()


def decode(value: bytes | None) -> dict[str, Any]:
    """Decode and validate a record's value; raise InvalidEventError."""
    if value is None:
        raise InvalidEventError(RECORD, NO_VALUE)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise InvalidEventError(RECORD, NOT_UTF8) from None
    try:
        event = from_json(text)
    except (ValueError, RecursionError):
        raise InvalidEventError(RECORD, NOT_AN_OBJECT) from None
    if not isinstance(event, dict):
        raise InvalidEventError(RECORD, NOT_AN_OBJECT)
    validate(event)
    return event
