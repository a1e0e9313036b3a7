"""The OpenAPI document, derived from the contract and the table of actions."""

from typing import Any

from game_events import COMMON_FIELDS, EVENT_TYPES, EventType, Field, Kind, names

from game_api.bulk import FROM_REQUEST, MAX_ITEMS, PATH
from game_api.log.event_log import Outcome
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.pages.play import PLACE
from game_api.parameters import FORM
from game_api.replies import OUTCOME_HEADER

Json = dict[str, Any]

_TYPES = {Kind.BOOLEAN: "boolean", Kind.STRING: "string"}
_STRING: Json = {"type": "string"}
_INTEGER: Json = {"type": "integer"}
_COMMON = {field.name: field for field in COMMON_FIELDS}

_OBJECT: Json = {"type": "object"}
_JSON = "application/json"
_WRITABLE = r"^[^\u0000-\u001f\u007f]*$"
# What HTTP carries unchanged, and no list of values: without spaces at the ends, without commas.
_CARRIED = r"^[!-+\--~]([ -+\--~]*[!-+\--~])?$"
_ERRORS = {
    "400": "No event: the field is wrong",
    "403": "No event: a browser only fetched ahead, or a link preview asked",
    "404": "There is nothing of this path",
    "405": "There is no such method here",
    "408": "The client took too long to send its request",
    "409": "No event: the rules of the game forbid it, or the key was used for another request",
    "413": "No event: the body is too large, as it is or unpacked",
    "414": "The path and the query are too long",
    "415": "No event: the body has another type or encoding than those that are read",
    "417": "An expectation other than 100-continue",
    "429": "No event: too many requests of this player or address",
    "431": "The headers are too long",
    "500": "The request could not be answered",
    "501": "A transfer coding other than chunked",
    "505": "A version of HTTP other than 1.0 and 1.1",
}
_OF_ANY_REQUEST = ("400", "405", "408", "413", "414", "417", "431", "500", "501", "505")

_OUTCOMES = (
    "`refused`: not written. `unknown`: it may have been written, or may yet be: retry with the same key or, without "
    "one, with the event_id as the key, within 10 minutes."
)
_OUTCOME: Json = {"enum": [Outcome.REFUSED.value, Outcome.UNKNOWN.value], "description": _OUTCOMES}


def document() -> Json:
    paths: Json = {event_type.request: _action(event_type) for event_type in EVENT_TYPES.values()}
    paths[PATH] = {"post": _bulk()}
    for path, summary, content, codes in (
        ("/healthz", "Whether the process is alive", _either({"const": "alive"}, _status("alive")), ()),
        ("/readyz", "Whether events can be written", _either({"const": "ready"}, _status("ready")), ("503",)),
        ("/metrics", "Metrics for Prometheus", _one("text/plain", _STRING), ()),
        ("/openapi.json", "This document", _one(_JSON, _OBJECT), ()),
        ("/play", "The game's page", _one("text/html", _STRING), ()),
        ("/actions", "All actions in words: needs, costs, chance, parameters", _one(_JSON, _OBJECT), ()),
        ("/world", "Who leads, guilds, wars, and the feed of events", _one(_JSON, _OBJECT), ("400", "503")),
        ("/heroes/{name}", "A player as the world has them", _one(_JSON, _OBJECT), ("400", "503")),
        ("/dashboard", "The dashboard's page", _one("text/html", _STRING), ()),
        ("/dashboard/data", "The answers behind the dashboard, and their age", _one(_JSON, _OBJECT), ("503",)),
    ):
        responses = {"200": {"description": summary, "content": content}, **_errors(*codes)}
        paths[path] = {
            method: {"summary": summary, "responses": responses if method == "get" else _without_bodies(responses)}
            for method in ("get", "head")
        }
    after = {
        "in": "query",
        "name": "after",
        "schema": {"type": "string", "pattern": f"^({PLACE})?$"},
        "description": "Only what came after this entry of the feed",
    }
    name = {**_parameter("path", "name", _COMMON["player"], "The player"), "required": True}
    for method in ("get", "head"):
        paths["/world"][method]["parameters"] = [after]
        paths["/heroes/{name}"][method]["parameters"] = [name]
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
    headers = [
        _header(PLAYER_HEADER, _COMMON["player"], "The player, instead of the Host header's name"),
        _header(KEY_HEADER, _COMMON["event_id"], "Makes retries count once: it becomes the event's id"),
    ]
    query = [_parameter("query", field.name, field, field.doc) for field in event_type.parameters]
    text = _answer(event_type)
    answer = {
        "type": "object",
        "required": ["answer", "event_id", "partition", "offset"],
        "properties": {"answer": text, "event_id": _STRING, "partition": _INTEGER, "offset": _INTEGER},
    }
    acked = {"description": "Kafka has the event", "content": _either(text, answer)}
    operation = {
        "summary": f"Writes an event of type {event_type.name}",
        "tags": [event_type.family],
        "responses": {"200": acked, **_errors("400", "403", "409", "415", "429", "503")},
    }
    return {
        "get": {"operationId": f"get_{event_type.name}", **operation, "parameters": [*headers, *query]},
        "post": {"operationId": f"post_{event_type.name}", **operation, "parameters": headers} | _form(event_type),
    }


def _form(event_type: EventType) -> Json:
    """Return the body of a POST."""
    if not event_type.parameters:
        return {}
    required = [field.name for field in event_type.parameters if field.required]
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": {field.name: _schema(field) for field in event_type.parameters},
    }
    return {
        "description": "The parameters may also be in the query, as for GET; none may be in both.",
        "requestBody": {
            "required": bool(required),
            "content": {media_type: {"schema": schema} for media_type in (FORM, _JSON)},
        },
    }


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
    results: Json = {
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": result}},
    }
    none = _either(_STRING, _error(results=results["properties"]["results"]))
    return {
        "summary": "Writes many events; each result is at its event's place",
        "parameters": [_header(PLAYER_HEADER, _COMMON["player"], "The player of items that name none")],
        "requestBody": {"required": True, "content": {_JSON: {"schema": body}}},
        "responses": {
            "200": _content("Kafka has all events", _JSON, results),
            "207": _content("Kafka has some of the events", _JSON, results),
            **_errors("403", "415", "429"),
            "400": {"description": "No event: the body is wrong, or each of its events", "content": none},
            "503": {
                "description": "Kafka did not acknowledge any event",
                "content": none,
                "headers": {"Retry-After": {"schema": _INTEGER}, OUTCOME_HEADER: {"schema": _OUTCOME}},
            },
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
        pattern = names.pattern(field.name) if field.name in names.NAMES else _WRITABLE
        return schema | {"minLength": field.minimum, "maxLength": field.maximum, "pattern": pattern}
    if field.kind is Kind.BOOLEAN:
        return schema
    return schema | {"minimum": field.minimum, "maximum": field.maximum}


def _parameter(place: str, name: str, field: Field, description: str) -> Json:
    parameter = {"in": place, "name": name, "description": description, "schema": _schema(field)}
    return parameter | ({"required": True} if place == "query" and field.required else {})


def _header(name: str, field: Field, description: str) -> Json:
    described = f"{description}. Beyond ASCII it is UTF-8."
    return _parameter("header", name, field, described) | {"schema": _schema(field) | {"pattern": _CARRIED}}


def _responses() -> Json:
    unwritten = _error(event_id=_STRING, outcome=_OUTCOME)
    after = {"Retry-After": {"schema": _INTEGER}}
    responses = {code: {"description": text, "content": _either(_STRING, _error())} for code, text in _ERRORS.items()}
    responses["429"]["headers"] = after
    responses["415"]["headers"] = {"Accept-Encoding": {"schema": _STRING}}
    responses["503"] = {
        "description": "Kafka or the world is away, or did not acknowledge the event in time",
        "content": _either(_STRING, unwritten),
    }
    return responses


def _error(**beside: Json) -> Json:
    return {"type": "object", "required": ["error"], "properties": {"error": _STRING, "field": _STRING, **beside}}


def _errors(*codes: str) -> Json:
    """Return the responses with these codes and with those that any request may get."""
    return {code: _reference("responses", code) for code in sorted({*codes, *_OF_ANY_REQUEST})}


def _without_bodies(responses: Json) -> Json:
    return {code: {"description": f"As GET's {code}, without its body"} for code in responses}


def _status(status: str) -> Json:
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": status}}}


def _either(text: Json, body: Json) -> Json:
    """Return the content of an answer that is text, or JSON for a client that accepts it."""
    return {"text/plain": {"schema": text}, _JSON: {"schema": body}}


def _one(media_type: str, schema: Json) -> Json:
    return {media_type: {"schema": schema}}


def _content(description: str, media_type: str, schema: Json) -> Json:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}
