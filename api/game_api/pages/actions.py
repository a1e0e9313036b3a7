"""The actions as the game's page shows them: parameters, preconditions and effects."""

from typing import Any

from game_events import EVENT_TYPES, EventType, Field, Kind
from game_events.words import certain, chances, preconditions

Json = dict[str, Any]


def action_families() -> list[Json]:
    """Return every family that has actions of the game, in order."""
    families: dict[str, list[Json]] = {}
    for event_type in (one for one in EVENT_TYPES.values() if not one.is_report):
        families.setdefault(event_type.family, []).append(_action(event_type))
    return [{"family": family, "actions": actions} for family, actions in families.items()]


def _action(event_type: EventType) -> Json:
    return {
        "name": event_type.name,
        "path": event_type.request,
        "title": (event_type.request.strip("/") or event_type.family.removesuffix("s")).replace("_", " ").capitalize(),
        "needs": preconditions(event_type),
        "brings": certain(event_type),
        "chance": chances(event_type),
        "parameters": [_parameter(field) for field in event_type.parameters],
    }


def _parameter(field: Field) -> Json:
    return {
        "name": field.name,
        "type": "integer" if field.kind is Kind.INTEGER else "string",
        "title": field.doc,
        "required": field.required,
        "minimum": field.minimum,
        "maximum": field.maximum,
    }
