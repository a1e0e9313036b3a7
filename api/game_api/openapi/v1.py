"""The paths of version 1 in the OpenAPI document."""

from collections.abc import Sequence

from game_events import EVENT_TYPES, EventType
from game_events.experiments import EXPERIMENTS
from game_events.words import preconditions_in_v1

from game_api.identity.caller import KEY_SCOPES, PLAYER_SCOPES
from game_api.identity.openapi import HANDED_OUT, security
from game_api.identity.settings import MODES
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
from game_api.openapi.schemas import (
    COMMON,
    INTEGER,
    STRING,
    Json,
    context_schema,
    field_schema,
    header,
    parameter,
    parameters_schema,
)
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.v1 import paths as v1
from game_api.v1.problems import MEDIA_TYPE, PROBLEMS, type_of
from game_api.v1.rate_headers import LIMIT_HEADER, POLICY_HEADER
from game_api.v1.schemas import MEDIA_TYPE as SCHEMA

_PROBLEM = "problem"
_OF_CALLERS = ("401", "403", "429", "503")
_OTHERS = "malformed-request"
"""The type of problem that requests have with statuses that no other has."""


_LIMITS: Json = {
    POLICY_HEADER: {
        "description": "With limits: the buckets that were charged. One holds `q` tokens and refills in `w` seconds",
        "schema": {"type": "string", "examples": ['"address";q=40000;w=20, "player";q=2000;w=40']},
    },
    LIMIT_HEADER: {
        "description": "Of each of them `r` tokens are left, and it is full in `t` seconds",
        "schema": {"type": "string", "examples": ['"address";r=39999;t=1, "player";r=1999;t=1']},
    },
}
_CHARGED: Json = {"headers": {**HANDED_OUT, **_LIMITS}}
"""The headers of a request that succeeds."""
_PLAYER: Json = header(PLAYER_HEADER, COMMON["player"], "The player. The default is the name in the Host header")


def paths(mode: str) -> Json:
    """Return the paths."""
    made: Json = {v1.action_path(each): {"post": _action(each) | security(mode)} for each in EVENT_TYPES.values()}
    made[v1.EVENTS] = {"post": _bulk() | security(mode)}
    made[v1.ME] = _me(mode)
    made[v1.FLAGS] = _flags(mode)
    made[v1.RECEIPTS + "{event_id}"] = _receipt(mode)
    kind = {"in": "path", "name": "kind", "required": True, "schema": {"enum": list(PROBLEMS)}}
    made[v1.PROBLEMS] = _read("All types of problems", {"problems": {"type": "array", "items": _explanation()}})
    one = _read("What a type of problem means", _explanation()["properties"], "404")
    made[v1.PROBLEMS + "/{kind}"] = {method: {**each, "parameters": [kind]} for method, each in one.items()}
    event_type = {"in": "path", "name": "event_type", "required": True, "schema": {"enum": list(EVENT_TYPES)}}
    made[v1.SCHEMAS] = _document("Where the JSON Schema of each event type is", JSON, _schema_list())
    made[v1.SCHEMAS + "/{event_type}"] = _document(
        "The JSON Schema (2020-12) of the event in the topic", SCHEMA, {"type": "object"}, "404", of=[event_type]
    )
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
    return response(description, MEDIA_TYPE, schema) | {"headers": {**HEADERS.get(code, {}), **_LIMITS}}


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
    # The other preconditions are the same by the older paths, which `/actions` describes.
    stricter = ", ".join(preconditions_in_v1(event_type))
    return {
        "operationId": f"v1_{event_type.name}",
        "summary": f"Writes an event of type {event_type.name}",
        **({"description": f"Needs {stricter}; without a world that can tell, it is a 503"} if stricter else {}),
        "tags": [event_type.family],
        "parameters": [
            _PLAYER,
            key if event_type.is_free else key | {"required": True},
        ],
        "requestBody": {
            "required": any(field.required for field in event_type.parameters),
            "content": {JSON: {"schema": _body(event_type)}},
        },
        "responses": {
            "200": response("Kafka has stored the event", JSON, acked) | _CHARGED,
            **_errors("401", "403", "409", "415", "429", "503"),
        },
    }


def _body(event_type: EventType) -> Json:
    schema = parameters_schema(event_type)
    return schema | {"properties": schema["properties"] | context_schema()}


def _bulk() -> Json:
    items = {
        "oneOf": [reference("schemas", name) for name, each in EVENT_TYPES.items() if each.is_free and not each.in_v1]
    }
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
        "summary": "Writes many unconditional events; the results are in the order of the events",
        "parameters": [header(PLAYER_HEADER, COMMON["player"], "The player of items without one")],
        "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
        "responses": {
            "200": response("Kafka has stored all events", JSON, results) | _CHARGED,
            "207": response("Kafka has stored some of the events", JSON, results) | _CHARGED,
            **_errors("401", "403", "415", "429", "503"),
        },
    }


def _me(mode: str) -> Json:
    properties: Json = {
        "player": STRING,
        "mode": {"enum": list(MODES), "description": "How players prove who they are"},
        "proven": {"type": "boolean", "description": "Whether a credential proves the player's name"},
        "scopes": {"type": "array", "items": {"enum": sorted(PLAYER_SCOPES | KEY_SCOPES)}},
        "key": {"type": "string", "description": "The name of the ingestion key, if the caller has one"},
        "hero": {"type": "object", "description": "With a world: the player's state, as `/heroes/{name}` returns it"},
    }
    required = ["player", "mode", "proven", "scopes"]
    described = _described(_read("The caller, and their hero", properties, *_OF_CALLERS, required=required), mode)
    return {method: {**each, "parameters": [_PLAYER]} for method, each in described.items()}


def _flags(mode: str) -> Json:
    # An old document must not forbid new experiments.
    variants = {
        "type": "object",
        "additionalProperties": STRING,
        "properties": {
            name: {"enum": list(each.variants), "description": each.description} for name, each in EXPERIMENTS.items()
        },
    }
    properties: Json = {"player": STRING, "experiments": variants}
    described = _described(_read("Which variant of each experiment the caller sees", properties, *_OF_CALLERS), mode)
    return {method: {**each, "parameters": [_PLAYER]} for method, each in described.items()}


def _receipt(mode: str) -> Json:
    record = {"event_type": {"enum": list(EVENT_TYPES)}, "partition": INTEGER, "offset": INTEGER}
    records = {"type": "array", "items": {"type": "object", "required": list(record), "properties": record}}
    detail = {"type": "string", "description": "Why it is not known"}
    kafka = {"state": {"enum": ["stored", "unknown"]}, "records": records, "detail": detail}
    table = {
        "state": {"enum": ["stored", "absent", "unavailable"]},
        "records": records,
        "snapshot": {"type": "string", "description": "The table's snapshot in which the rows were found"},
        "detail": detail,
    }
    properties: Json = {
        "event_id": STRING,
        "player": STRING,
        "kafka": {"type": "object", "required": ["state"], "properties": kafka},
        "table": {"type": "object", "required": ["state"], "properties": table},
    }
    event_id = {**parameter("path", "event_id", COMMON["event_id"], "The event's id, or its key"), "required": True}
    described = _described(_read("Where the player's events with this id are", properties, *_OF_CALLERS), mode)
    return {method: {**each, "parameters": [event_id, _PLAYER]} for method, each in described.items()}


def _described(methods: Json, mode: str) -> Json:
    """Add what a caller's reading needs and gets."""
    methods["get"]["responses"]["200"] |= _CHARGED
    return {method: each | security(mode) for method, each in methods.items()}


def _read(summary: str, properties: Json, *codes: str, required: Sequence[str] = ()) -> Json:
    schema = {"type": "object", "required": list(required or properties), "properties": properties}
    answers = {"200": response(summary, JSON, schema), **_errors(*codes)}
    return {
        "get": {"summary": summary, "responses": answers},
        "head": {"summary": summary, "responses": without_bodies(answers)},
    }


def _document(summary: str, media_type: str, schema: Json, *codes: str, of: Sequence[Json] = ()) -> Json:
    """Describe a document that clients may keep and check for changes."""
    tag = {"headers": {"ETag": {"schema": STRING}}}
    known = {"in": "header", "name": "If-None-Match", "schema": STRING, "description": "An ETag that the client has"}
    answers = {
        "200": response(summary, media_type, schema) | tag,
        "304": {"description": "The client has it"} | tag,
        **_errors(*codes),
    }
    operation = {"summary": summary, "parameters": [*of, known]}
    return {
        "get": operation | {"responses": answers},
        "head": operation | {"responses": without_bodies(answers)},
    }


def _schema_list() -> Json:
    properties: Json = {"event_type": {"enum": list(EVENT_TYPES)}, "family": STRING, "path": STRING}
    one = {"type": "object", "required": list(properties), "properties": properties}
    return {"type": "object", "required": ["schemas"], "properties": {"schemas": {"type": "array", "items": one}}}


def _explanation() -> Json:
    properties = {"type": STRING, "title": STRING, "status": INTEGER}
    return {"type": "object", "required": list(properties), "properties": properties}
