"""JSON schemas of events, and the parameters that take their fields."""

from game_events import COMMON_FIELDS, EventType, Field, Kind, json_schema, names
from game_events.context import CONTEXT
from game_events.json_schema import Json as Json

from game_api.items import FROM_REQUEST

STRING: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
COMMON = {field.name: field for field in COMMON_FIELDS}

_VALUES = "#/components/schemas/"
_WRITABLE = r"^[^\u0000-\u001f\u007f]*$"
# A single header value that HTTP leaves unchanged: no spaces at the ends, no commas.
_HEADER_VALUE = r"^[!-+\--~]([ -+\--~]*[!-+\--~])?$"


def event_schema(event_type: EventType) -> Json:
    """Return the schema of an event of this type as an item of a bulk request."""
    fields = [field for field in (*COMMON_FIELDS, *event_type.own_fields) if field.name not in FROM_REQUEST]
    optional = {"event_id", "player"}
    return {
        "type": "object",
        "required": [field.name for field in fields if field.required and field.name not in optional],
        "additionalProperties": False,
        "properties": {field.name: field_schema(field) for field in fields if field not in CONTEXT}
        | context_schema()
        | {"event_type": {"const": event_type.name, "description": COMMON["event_type"].doc}},
    }


def context_schema() -> Json:
    """Return the schemas of the context's fields by their names."""
    return {field.name: {"$ref": f"{_VALUES}context_{field.name}"} for field in CONTEXT}


def shared_schemas() -> Json:
    """Return the schemas that others refer to."""
    values = json_schema.value_schemas(_VALUES, {"pattern": _WRITABLE})
    return values | {f"context_{field.name}": field_schema(field) for field in CONTEXT}


def parameters_schema(event_type: EventType) -> Json:
    """Return the schema of an action's parameters in a body."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in event_type.parameters if field.required],
        "properties": {field.name: field_schema(field) for field in event_type.parameters},
    }


def field_schema(field: Field) -> Json:
    schema = json_schema.field_schema(field, _VALUES, {"pattern": _WRITABLE})
    if field.kind is not Kind.STRING or field.pattern:
        return schema
    return schema | {"pattern": names.pattern(field.name) if field.name in names.NAMES else _WRITABLE}


def parameter(place: str, name: str, field: Field, description: str) -> Json:
    described = {"in": place, "name": name, "description": description, "schema": field_schema(field)}
    return described | ({"required": True} if place == "query" and field.required else {})


def header(name: str, field: Field, description: str) -> Json:
    described = f"{description}. Non-ASCII characters are sent as UTF-8."
    return parameter("header", name, field, described) | {"schema": field_schema(field) | {"pattern": _HEADER_VALUE}}
