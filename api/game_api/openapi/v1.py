"""The paths of version 1 in the OpenAPI document."""

from game_events import EVENT_TYPES, EventType

from game_api.identity.openapi import HANDED_OUT, security
from game_api.items import MAX_ITEMS
from game_api.openapi.responses import (
    DESCRIPTIONS,
    HEADERS,
    JSON,
    OF_ANY_REQUEST,
    OUTCOME,
    answer_schema,
    reference,
    response,
    without_bodies,
)
from game_api.openapi.schemas import COMMON, INTEGER, STRING, Json, field_schema, header, parameters_schema
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.v1 import paths as v1
from game_api.v1.problems import MEDIA_TYPE, PROBLEMS, type_of

_PROBLEM = "problem"
_OTHERS = "malformed-request"
"""The type of problem that requests have with statuses that no other has."""


def paths(mode: str, items: Json) -> Json:
    """Return the paths; `items` is the schema of an event in a bulk request."""
    made: Json = {v1.action_path(each): {"post": _action(each) | security(mode)} for each in EVENT_TYPES.values()}
    made[v1.EVENTS] = {"post": _bulk(items) | security(mode)}
    kind = {"in": "path", "name": "kind", "required": True, "schema": {"enum": list(PROBLEMS)}}
    made[v1.PROBLEMS] = _read("All types of problems", {"problems": {"type": "array", "items": _explanation()}})
    one = _read("What a type of problem means", _explanation()["properties"], "404")
    made[v1.PROBLEMS + "/{kind}"] = {method: {**each, "parameters": [kind]} for method, each in one.items()}
    return made


def schemas() -> Json:
    """Return the shared schemas."""
    members = {"type": STRING, "title": STRING, "status": INTEGER, "detail": STRING}
    further = {"field": STRING, "outcome": OUTCOME, "event_id": STRING}
    return {_PROBLEM: {"type": "object", "required": list(members), "properties": members | further}}


def responses() -> Json:
    """Return the responses with problems that paths refer to, by their names."""
    return {f"{_PROBLEM}_{code}": _problem(code, text) for code, text in DESCRIPTIONS.items()}


def _problem(code: str, description: str) -> Json:
    kinds = [kind for kind, problem in PROBLEMS.items() if problem.status == int(code)] or [_OTHERS]
    schema = {
        "allOf": [reference("schemas", _PROBLEM)],
        "properties": {"type": {"enum": list(map(type_of, kinds))}, "status": {"const": int(code)}},
    }
    return response(description, MEDIA_TYPE, schema) | {"headers": HEADERS.get(code, {})}


def _errors(*codes: str) -> Json:
    return {code: reference("responses", f"{_PROBLEM}_{code}") for code in sorted({*codes, *OF_ANY_REQUEST})}


def _action(event_type: EventType) -> Json:
    key = header(KEY_HEADER, COMMON["event_id"], "The event's id. Requests with the same key count once")
    fields = {field.name: field_schema(field) for field in event_type.own_fields}
    acked = {
        "type": "object",
        "required": ["event_type", "player", "answer", "event_id", "partition", "offset", "fields"],
        "properties": {
            "event_type": {"const": event_type.name},
            "player": STRING,
            "answer": answer_schema(event_type),
            "event_id": STRING,
            "partition": INTEGER,
            "offset": INTEGER,
            "fields": {
                "type": "object",
                "description": "The event's own fields: parameters, chance, and what the world decided",
                "additionalProperties": False,
                "properties": fields,
            },
        },
    }
    return {
        "operationId": f"v1_{event_type.name}",
        "summary": f"Writes an event of type {event_type.name}",
        "tags": [event_type.family],
        "parameters": [
            header(PLAYER_HEADER, COMMON["player"], "The player. The default is the name in the Host header"),
            key if event_type.is_free else key | {"required": True},
        ],
        "requestBody": {
            "required": any(field.required for field in event_type.parameters),
            "content": {JSON: {"schema": parameters_schema(event_type)}},
        },
        "responses": {
            "200": response("Kafka has stored the event", JSON, acked) | {"headers": HANDED_OUT},
            **_errors("401", "403", "409", "415", "429", "503"),
        },
    }


def _bulk(items: Json) -> Json:
    stored = {"status": {"const": 200}, "event_id": STRING, "partition": INTEGER, "offset": INTEGER}
    result = {
        "oneOf": [
            {"type": "object", "required": list(stored), "properties": stored},
            {"allOf": [reference("schemas", _PROBLEM)], "properties": {"status": {"enum": [400, 503]}}},
        ]
    }
    results: Json = {
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": result}},
    }
    body = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": items}
    return {
        "operationId": "v1_events",
        "summary": "Writes many events; the results are in the order of the events",
        "parameters": [header(PLAYER_HEADER, COMMON["player"], "The player of items without one")],
        "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
        "responses": {
            "200": response("Kafka has stored all events", JSON, results) | {"headers": HANDED_OUT},
            "207": response("Kafka has stored some of the events", JSON, results) | {"headers": HANDED_OUT},
            **_errors("401", "403", "415", "429", "503"),
        },
    }


def _read(summary: str, properties: Json, *codes: str) -> Json:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    answers = {"200": response(summary, JSON, schema), **_errors(*codes)}
    return {
        "get": {"summary": summary, "responses": answers},
        "head": {"summary": summary, "responses": without_bodies(answers)},
    }


def _explanation() -> Json:
    properties = {"type": STRING, "title": STRING, "status": INTEGER}
    return {"type": "object", "required": list(properties), "properties": properties}
