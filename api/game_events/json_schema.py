"""JSON Schema (2020-12) of the events in the topic, derived from the catalog.

It cannot tell 1.0 from 1, nor see repeated keys and lone surrogates: only the contract itself refuses these.
"""

from typing import Any

from game_events.catalog import COMMON_FIELDS
from game_events.event_type import EventType
from game_events.fields import Field, Kind

Json = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {Kind.BOOLEAN: "boolean", Kind.STRING: "string"}
# Not as the pattern of all other characters: Python's `$` would accept a line break at the end.
_WRITABLE: Json = {"not": {"pattern": r"[\u0000-\u001f\u007f]"}}


def event_schema(event_type: EventType) -> Json:
    """Return the schema of a complete event, as consumers of the topic read it."""
    fields = (*COMMON_FIELDS, *event_type.own_fields)
    properties = {
        field.name: field_schema(field) | (_WRITABLE if field.kind is Kind.STRING else {}) for field in fields
    }
    properties["event_type"] = {"const": event_type.name, "description": properties["event_type"]["description"]}
    return {
        "$schema": _DIALECT,
        "title": event_type.name,
        "type": "object",
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
        "properties": properties,
    }


def field_schema(field: Field) -> Json:
    """Return the schema of a field's values, but for the characters of a string."""
    schema: Json = {"type": _TYPES.get(field.kind, "integer"), "description": field.doc}
    if field.kind is Kind.BOOLEAN:
        return schema
    if field.kind is Kind.STRING:
        return schema | {"minLength": field.minimum, "maxLength": field.maximum}
    return schema | {"minimum": field.minimum, "maximum": field.maximum}
