"""JSON Schema (2020-12) of the events in the topic, derived from the catalog.

It cannot tell 1.0 from 1, nor see repeated keys, lone surrogates and how many bytes an object has: only the contract
itself refuses these.
"""

from typing import Any

from game_events.catalog import COMMON_FIELDS
from game_events.event_type import EventType
from game_events.fields import MAX_DEPTH, MAX_NUMBER, Field, Kind

Json = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {Kind.BOOLEAN: "boolean", Kind.STRING: "string", Kind.OBJECT: "object"}
# Not as the pattern of all other characters: Python's `$` would accept a line break at the end.
_WRITABLE: Json = {"not": {"type": "string", "pattern": r"[\u0000-\u001f\u007f]"}}
_HERE = "#/$defs/"


def event_schema(event_type: EventType) -> Json:
    """Return the schema of a complete event, as consumers of the topic read it."""
    fields = (*COMMON_FIELDS, *event_type.own_fields)
    properties = {
        field.name: field_schema(field, _HERE, _WRITABLE) | (_WRITABLE if field.kind is Kind.STRING else {})
        for field in fields
    }
    properties["event_type"] = {"const": event_type.name, "description": properties["event_type"]["description"]}
    return {
        "$schema": _DIALECT,
        "title": event_type.name,
        "type": "object",
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
        "properties": properties,
        "$defs": value_schemas(_HERE, _WRITABLE),
    }


def field_schema(field: Field, values: str, writable: Json) -> Json:
    """Return the schema of a field's values, but for the characters of a string.

    The address `values` has the `value_schemas`; `writable` is the schema of texts that events may contain.
    """
    schema: Json = {"type": _TYPES.get(field.kind, "integer"), "description": field.doc}
    if field.kind is Kind.BOOLEAN:
        return schema
    if field.kind is Kind.STRING:
        pattern = {"pattern": f"^{field.pattern}$"} if field.pattern else {}
        return schema | {"minLength": field.minimum, "maxLength": field.maximum} | pattern
    if field.kind is Kind.OBJECT:
        schema["description"] += f", of at most {field.maximum} bytes"
        inner = {"type": "string"} | writable if field.values else {"$ref": f"{values}json_{MAX_DEPTH - 1}"}
        return schema | _object_schema(inner, writable)
    return schema | {"minimum": field.minimum, "maximum": field.maximum}


def value_schemas(values: str, writable: Json) -> dict[str, Json]:
    """Return the schemas of the values within objects, by how deeply these are nested."""
    number = {"minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
    scalar = {"type": ["string", "number", "boolean", "null"]} | number | writable
    found: dict[str, Json] = {"json_0": scalar}
    for depth in range(1, MAX_DEPTH):
        inner = {"$ref": f"{values}json_{depth - 1}"}
        found[f"json_{depth}"] = {"anyOf": [scalar, {"type": "array", "items": inner}, _object_schema(inner, writable)]}
    return found


def _object_schema(inner: Json, writable: Json) -> Json:
    return {"type": "object", "propertyNames": writable, "additionalProperties": inner}
