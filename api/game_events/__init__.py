"""The event contract, shared by every program that writes, reads or stores events. Standard library only."""

from game_events.catalog import COMMON_FIELDS, ERASED, EVENT_TYPES, FAMILIES, FIRST, FREE, REJECTED, SCHEMA_VERSION
from game_events.codec import InvalidEventError, decode, encode, validate
from game_events.event_type import EventType
from game_events.fields import Field, Kind

__all__ = [
    "COMMON_FIELDS",
    "ERASED",
    "EVENT_TYPES",
    "FAMILIES",
    "FIRST",
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
