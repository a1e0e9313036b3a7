"""The catalog of event types. To add a type, add an entry to its family's file and an example to `api/examples/`."""

from game_events.context import CONTEXT, LATEST
from game_events.event_type import EventType
from game_events.families import (
    battles,
    crafts,
    declarations,
    diplomacy,
    exposures,
    guilds,
    joins,
    magic,
    purchases,
    quests,
    rests,
    tavern,
    trades,
    visits,
)
from game_events.fields import Field, Kind

SCHEMA_VERSION = 1

REJECTED = "rejected"
"""The family of records that are not valid events."""

ERASED = "erased"
"""The family of records whose player was erased: only their offsets are kept."""

COMMON_FIELDS = (
    Field("event_id", Kind.STRING, "UUIDv7, or the client's Idempotency-Key", required=True, minimum=1, maximum=128),
    Field("event_type", Kind.STRING, "What happened", required=True, minimum=1, maximum=64),
    Field(
        "schema_version",
        Kind.INTEGER,
        "Version of the contract the event was written with",
        required=True,
        maximum=32767,
    ),
    Field(
        "received_at",
        Kind.TIMESTAMP,
        "When the API received the event; for a rejected record, when the broker did",
        required=True,
        # 2020 to 2100. This catches clocks in seconds or microseconds, whose days would lie in 1970 or year 50,000.
        minimum=1_577_836_800_000,
        maximum=LATEST,
    ),
    Field(
        "player", Kind.STRING, "The acting player: the normal form of the name", required=True, minimum=1, maximum=255
    ),
    Field("player_name", Kind.STRING, "The player's name as given, if it differs from player", maximum=255),
    Field("host", Kind.STRING, "The request's Host header"),
    Field("user_agent", Kind.STRING, "The request's User-Agent header"),
    Field("accept", Kind.STRING, "The request's Accept header"),
    Field("description", Kind.STRING, "Free text"),
    Field("idempotent", Kind.BOOLEAN, "True if the client chose event_id, so a retry may repeat it"),
    *CONTEXT,
)

_FAMILIES = (
    visits,
    purchases,
    joins,
    declarations,
    guilds,
    diplomacy,
    battles,
    quests,
    magic,
    trades,
    crafts,
    tavern,
    rests,
    exposures,
)

EVENT_TYPES: dict[str, EventType] = {
    event_type.name: event_type for family in _FAMILIES for event_type in family.EVENT_TYPES
}


def _families() -> dict[str, tuple[Field, ...]]:
    families: dict[str, dict[str, Field]] = {}
    for event_type in EVENT_TYPES.values():
        families.setdefault(event_type.family, {}).update({field.name: field for field in event_type.own_fields})
    return {family: tuple(fields.values()) for family, fields in families.items()}


FAMILIES = _families()
"""Each family's own fields, in order of declaration."""

FREE = tuple(event_type for event_type in EVENT_TYPES.values() if event_type.is_free)
"""The unconditional event types: they succeed for any player at any time."""

FIRST = tuple(
    EVENT_TYPES[name]
    for name in (
        "default",
        "purchase_sword",
        "purchase_axe",
        "purchase_shield",
        "join_guild",
        "declare_war",
        "declare_peace",
    )
)
"""The event types of the first version: they are unconditional and require no parameter."""
