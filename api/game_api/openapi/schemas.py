"""JSON schemas of events, and the parameters that take their fields."""

from typing import Any

from game_events import COMMON_FIELDS, EventType, Field, Kind, names
from game_events.context import CONTEXT
from game_events.fields import MAX_DEPTH, MAX_NUMBER

from game_api.items import FROM_REQUEST

Json = dict[str, Any]

STRING: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
COMMON = {field.name: field for field in COMMON_FIELDS}

_TYPES = {Kind.BOOLEAN: "boolean", Kind.STRING: "string", Kind.OBJECT: "object"}
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
    return {field.name: _shared(f"context_{field.name}") for field in CONTEXT}


def shared_schemas() -> Json:
    """Return the schemas that others refer to."""
    values = {f"json_{depth}": _value_schema(depth) for depth in range(MAX_DEPTH)}
    return values | {f"context_{field.name}": field_schema(field) for field in CONTEXT}


def _value_schema(depth: int) -> Json:
    """Return the schema of a value in an object, within which values may be nested so deep."""
    scalar = {
        "type": ["string", "number", "boolean", "null"],
        "pattern": _WRITABLE,
        "minimum": -float(MAX_NUMBER),
        "maximum": float(MAX_NUMBER),
    }
    if not depth:
        return scalar
    inner = _shared(f"json_{depth - 1}")
    return {"anyOf": [scalar, {"type": "array", "items": inner}, _object_schema(inner)]}


def _object_schema(values: Json) -> Json:
    return {"type": "object", "propertyNames": {"pattern": _WRITABLE}, "additionalProperties": values}


def _shared(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def parameters_schema(event_type: EventType) -> Json:
    """Return the schema of an action's parameters in a body."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in event_type.parameters if field.required],
        "properties": {field.name: field_schema(field) for field in event_type.parameters},
    }


def field_schema(field: Field) -> Json:
    schema: Json = {"type": _TYPES.get(field.kind, "integer"), "description": field.doc}
    if field.kind is Kind.STRING:
        pattern = f"^{field.pattern}$" if field.pattern else _WRITABLE
        if field.name in names.NAMES:
            pattern = names.pattern(field.name)
        return schema | {"minLength": field.minimum, "maxLength": field.maximum, "pattern": pattern}
    if field.kind is Kind.OBJECT:
        values = {"type": "string", "pattern": _WRITABLE} if field.values else _shared(f"json_{MAX_DEPTH - 1}")
        return schema | _object_schema(values) | {"description": f"{field.doc}, of at most {field.maximum} bytes"}
    if field.kind is Kind.BOOLEAN:
        return schema
    return schema | {"minimum": field.minimum, "maximum": field.maximum}


def parameter(place: str, name: str, field: Field, description: str) -> Json:
    described = {"in": place, "name": name, "description": description, "schema": field_schema(field)}
    return described | ({"required": True} if place == "query" and field.required else {})


def header(name: str, field: Field, description: str) -> Json:
    described = f"{description}. Non-ASCII characters are sent as UTF-8."
    return parameter("header", name, field, described) | {"schema": field_schema(field) | {"pattern": _HEADER_VALUE}}
