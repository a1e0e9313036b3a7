"""The event contract: what an event is, for everyone who writes, reads or stores one. Standard library only."""

from game_events.catalog import COMMON_FIELDS, ERASED, EVENT_TYPES, FAMILIES, FREE, REJECTED, SCHEMA_VERSION
from game_events.codec import InvalidEventError, decode, encode, validate
from game_events.event_type import EventType
from game_events.fields import Field, Kind

__all__ = [
    "COMMON_FIELDS",
    "ERASED",
    "EVENT_TYPES",
    "FAMILIES",
    "FREE",
    "REJECTED",
    "SCHEMA_VERSION",
    "EventType",
    "Field",
    "InvalidEventError",
    "Kind",
    "decode",
    "encode",
    "validate",
]
