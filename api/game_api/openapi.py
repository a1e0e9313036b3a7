"""The OpenAPI document, derived from the contract and the table of actions."""

from typing import Any

from game_events import COMMON_FIELDS, EVENT_TYPES, EventType, Field, Kind

from game_api.bulk import FROM_REQUEST, MAX_ITEMS, PATH
from game_api.event_log import Outcome
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.replies import OUTCOME_HEADER

Json = dict[str, Any]

_TYPES = {Kind.BOOLEAN: "boolean", Kind.STRING: "string"}
_STRING: Json = {"type": "string"}
_INTEGER: Json = {"type": "integer"}
_COMMON = {field.name: field for field in COMMON_FIELDS}

_OUTCOMES = (
    "`refused`: not written. `unknown`: it may have been written, or may yet be: retry with the same key or, without "
    "one, with the event_id as the key, within 10 minutes."
)
_OUTCOME: Json = {"enum": [Outcome.REFUSED.value, Outcome.UNKNOWN.value], "description": _OUTCOMES}


def document() -> Json:
    paths = {event_type.request: _action(event_type) for event_type in EVENT_TYPES.values()}
    paths[PATH] = {"post": _bulk()}
    for path, summary, media_type in (
        ("/healthz", "Whether the process is alive", "text/plain"),
        ("/metrics", "Metrics for Prometheus", "text/plain"),
        ("/openapi.json", "This document", "application/json"),
        ("/play", "The game's page", "text/html"),
        ("/actions", "All actions in words: needs, costs, chance, parameters", "application/json"),
        ("/world", "Who leads, guilds, wars, and the feed of events", "application/json"),
        ("/dashboard", "The dashboard's page", "text/html"),
        ("/dashboard/data", "The answers behind the dashboard, and their age", "application/json"),
    ):
        paths[path] = {"get": {"summary": summary, "responses": {"200": _content(summary, media_type, {})}}}
    ready = {"200": _content("Ready", "text/plain", _STRING), "503": {"description": "Kafka is away, or has no topic"}}
    paths["/world"]["get"]["parameters"] = [
        {
            "in": "query",
            "name": "after",
            "schema": _STRING,
            "description": "Only what came after this entry of the feed",
        }
    ]
    paths["/heroes/{name}"] = {
        "get": {
            "summary": "A player as the world has him",
            "parameters": [{**_parameter("path", "name", _COMMON["player"], "The player"), "required": True}],
            "responses": {"200": _content("The player", "application/json", {}), "400": _reference("responses", "400")},
        }
    }
    paths["/readyz"] = {"get": {"summary": "Whether events can be written", "responses": ready}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Game API", "version": "1", "description": "A request becomes an event in Kafka."},
        "paths": paths,
        "components": {
            "schemas": {event_type.name: _item(event_type) for event_type in EVENT_TYPES.values()},
            "responses": _responses(),
        },
    }


def _action(event_type: EventType) -> Json:
    parameters = [
        _parameter("header", PLAYER_HEADER, _COMMON["player"], "The player, instead of the Host header's name"),
        _parameter("header", KEY_HEADER, _COMMON["event_id"], "Makes retries count once: it becomes the event's id"),
        *(_parameter("query", field.name, field, field.doc) for field in event_type.parameters),
    ]
    text = _answer(event_type)
    answer = {"answer": text, "event_id": _STRING, "partition": _INTEGER, "offset": _INTEGER}
    acked = _content("Kafka has the event", "application/json", {"type": "object", "properties": answer})
    acked["content"]["text/plain"] = {"schema": text}
    codes = ("400", "413", "429", "503") if event_type.is_free else ("400", "409", "413", "429", "503")
    operation = {
        "summary": f"Writes an event of type {event_type.name}",
        "tags": [event_type.family],
        "parameters": parameters,
        "responses": {"200": acked, **{code: _reference("responses", code) for code in codes}},
    }
    return {method: {"operationId": f"{method}_{event_type.name}", **operation} for method in ("get", "post")}


def _answer(event_type: EventType) -> Json:
    answers = [result.answer for result in event_type.results]
    if len(answers) == 1 and "{" not in answers[0]:
        return {"const": answers[0]}
    return {"type": "string", "description": " Or: ".join(answers)}


def _bulk() -> Json:
    items = {"oneOf": [_reference("schemas", name) for name, event_type in EVENT_TYPES.items() if event_type.is_free]}
    body = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": items}
    result = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": [200, 400, 503]},
            "event_id": _STRING,
            "partition": _INTEGER,
            "offset": _INTEGER,
            "error": _STRING,
            "field": _STRING,
            "outcome": _OUTCOME,
        },
    }
    results = {"type": "object", "properties": {"results": {"type": "array", "items": result}}}
    return {
        "summary": "Writes many events; each result is at its event's place",
        "parameters": [_parameter("header", PLAYER_HEADER, _COMMON["player"], "The player of items that name none")],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": _content("Kafka has all events", "application/json", results),
            "207": _content("Kafka has some of the events", "application/json", results),
            **{code: _reference("responses", code) for code in ("400", "413", "415", "429", "503")},
        },
    }


def _item(event_type: EventType) -> Json:
    fields = [field for field in (*COMMON_FIELDS, *event_type.own_fields) if field.name not in FROM_REQUEST]
    optional = {"event_id", "player"}
    return {
        "type": "object",
        "required": [field.name for field in fields if field.required and field.name not in optional],
        "additionalProperties": False,
        "properties": {field.name: _schema(field) for field in fields}
        | {"event_type": {"const": event_type.name, "description": _COMMON["event_type"].doc}},
    }


def _schema(field: Field) -> Json:
    schema: Json = {"type": _TYPES.get(field.kind, "integer"), "description": field.doc}
    if field.kind is Kind.STRING:
        return schema | {"minLength": field.minimum, "maxLength": field.maximum}
    if field.kind is Kind.BOOLEAN:
        return schema
    return schema | {"minimum": field.minimum, "maximum": field.maximum}


def _parameter(place: str, name: str, field: Field, description: str) -> Json:
    parameter = {"in": place, "name": name, "description": description, "schema": _schema(field)}
    return parameter | ({"required": True} if place == "query" and field.required else {})


def _responses() -> Json:
    error: Json = {"type": "object", "required": ["error"], "properties": {"error": _STRING, "field": _STRING}}
    unwritten: Json = {"type": "object", "properties": {"error": _STRING, "event_id": _STRING, "outcome": _OUTCOME}}
    away = _content("Kafka did not acknowledge the event", "application/json", unwritten)
    away["headers"] = {"Retry-After": {"schema": _INTEGER}, OUTCOME_HEADER: {"schema": _OUTCOME}}
    limited = _content("No event: too many requests of this player or address", "application/json", error)
    limited["headers"] = {"Retry-After": {"schema": _INTEGER}}
    return {
        "429": limited,
        "400": _content("No event: the field is wrong", "application/json", error),
        "409": _content("No event: the rules of the game forbid it", "application/json", error),
        "413": _content("No event: the body is too large", "application/json", error),
        "415": _content("No event: the body's type is not application/json", "application/json", error),
        "503": away,
    }


def _content(description: str, media_type: str, schema: Json) -> Json:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}
