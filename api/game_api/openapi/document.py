"""The OpenAPI document, derived from the event contract."""

from game_events import EVENT_TYPES, EventType

from game_api.bulk import PATH
from game_api.identity.methods import methods
from game_api.identity.openapi import HANDED_OUT, SCHEMES, security
from game_api.items import MAX_ITEMS
from game_api.openapi import v1
from game_api.openapi.responses import (
    JSON,
    OBJECT,
    OUTCOME,
    answer_schema,
    content_of,
    error_schema,
    errors,
    reference,
    response,
    shared_responses,
    status_schema,
    text_or_json,
    without_bodies,
)
from game_api.openapi.schemas import (
    COMMON,
    INTEGER,
    STRING,
    Json,
    event_schema,
    header,
    parameter,
    parameters_schema,
    shared_schemas,
)
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.pages.play import FEED_ID, SIGN_OUT
from game_api.parameters import FORM
from game_api.replies import OUTCOME_HEADER

_DESCRIPTION = (
    "Each request becomes an event in Kafka. Every response has an X-Request-Id, which the service's log names too: "
    "the request's own, if it is valid."
)
_READ_ONLY: dict[str, tuple[str, Json, tuple[str, ...]]] = {
    "/healthz": ("Whether the process is alive", text_or_json({"const": "alive"}, status_schema("alive")), ()),
    "/openapi.json": ("This document", content_of(JSON, OBJECT), ()),
    "/play": ("The game's page", content_of("text/html", STRING), ()),
    "/actions": ("All actions: preconditions, effects, chance, parameters", content_of(JSON, OBJECT), ()),
    "/world": ("Leaders, guilds, wars and the event feed", content_of(JSON, OBJECT), ("400", "503")),
    "/heroes/{name}": ("A player's state in the world", content_of(JSON, OBJECT), ("400", "503")),
}
"""The paths without effects, except the admin port's: summaries, content, and errors that not every request may get."""


def document(mode: str) -> Json:
    """Return the document of a service that finds out in this mode who players are."""
    paths: Json = {event_type.request: _action(event_type, mode) for event_type in EVENT_TYPES.values()}
    paths[PATH] = {"post": _bulk() | security(mode)}
    paths |= {path: _read_only(*described) for path, described in _READ_ONLY.items()}
    after = {
        "in": "query",
        "name": "after",
        "schema": {"type": "string", "pattern": f"^({FEED_ID})?$"},
        "description": "Only entries after this one",
    }
    name = {**parameter("path", "name", COMMON["player"], "The player"), "required": True}
    for method in ("get", "head"):
        paths["/world"][method]["parameters"] = [after]
        paths["/heroes/{name}"][method]["parameters"] = [name]
    paths[SIGN_OUT] = {"post": _sign_out()}
    paths |= v1.paths(mode)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Game API", "version": "1", "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": {event_type.name: event_schema(event_type) for event_type in EVENT_TYPES.values()}
            | shared_schemas()
            | v1.schemas(),
            "responses": shared_responses() | v1.responses(),
            "securitySchemes": SCHEMES,
        },
    }


def _action(event_type: EventType, mode: str) -> Json:
    headers = [
        header(PLAYER_HEADER, COMMON["player"], "The player. The default is the name in the Host header"),
        header(KEY_HEADER, COMMON["event_id"], "The event's id. Requests with the same key count once"),
    ]
    query = [parameter("query", field.name, field, field.doc) for field in event_type.parameters]
    text = answer_schema(event_type)
    answer = {
        "type": "object",
        "required": ["answer", "event_id", "partition", "offset"],
        "properties": {"answer": text, "event_id": STRING, "partition": INTEGER, "offset": INTEGER},
    }
    acked = {"description": "Kafka has stored the event", "content": text_or_json(text, answer), "headers": HANDED_OUT}
    operation = {
        "summary": f"Writes an event of type {event_type.name}",
        "tags": [event_type.family],
        "responses": {"200": acked, **errors("400", "401", "403", "409", "415", "429", "503")},
        **security(mode),
    }
    described = {
        "post": {"operationId": f"post_{event_type.name}", **operation, "parameters": headers} | _form(event_type)
    }
    if "GET" in methods(event_type, mode):
        described["get"] = {"operationId": f"get_{event_type.name}", **operation, "parameters": [*headers, *query]}
    return described


def _read_only(summary: str, content: Json, codes: tuple[str, ...]) -> Json:
    responses = {"200": {"description": summary, "content": content}, **errors(*codes)}
    return {
        "get": {"summary": summary, "responses": responses},
        "head": {"summary": summary, "responses": without_bodies(responses)},
    }


def _sign_out() -> Json:
    summary = "Deletes the cookie with a player's token, for the game's page"
    return {"summary": summary, "responses": {"200": response(summary, JSON, OBJECT), **errors("403")}}


def _form(event_type: EventType) -> Json:
    """Return the body of a POST."""
    if not event_type.parameters:
        return {}
    schema = parameters_schema(event_type)
    return {
        "description": "The parameters may also be in the query, as for GET, but not in both.",
        "requestBody": {
            "required": bool(schema["required"]),
            "content": {media_type: {"schema": schema} for media_type in (FORM, JSON)},
        },
    }


def _bulk() -> Json:
    items = {"oneOf": [reference("schemas", name) for name, event_type in EVENT_TYPES.items() if event_type.is_free]}
    body = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": items}
    result = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": [200, 400, 503]},
            "event_id": STRING,
            "partition": INTEGER,
            "offset": INTEGER,
            "error": STRING,
            "field": STRING,
            "outcome": OUTCOME,
        },
    }
    results: Json = {
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": result}},
    }
    none = text_or_json(STRING, error_schema(results=results["properties"]["results"]))
    return {
        "summary": "Writes many events; the results are in the order of the events",
        "parameters": [header(PLAYER_HEADER, COMMON["player"], "The player of items without one")],
        "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
        "responses": {
            "200": response("Kafka has stored all events", JSON, results) | {"headers": HANDED_OUT},
            "207": response("Kafka has stored some of the events", JSON, results) | {"headers": HANDED_OUT},
            **errors("401", "403", "415", "429"),
            "400": {"description": "No event: the body, or each event in it, is invalid", "content": none},
            "503": {
                "description": "Kafka did not acknowledge any event",
                "content": none,
                "headers": {"Retry-After": {"schema": INTEGER}, OUTCOME_HEADER: {"schema": OUTCOME}},
            },
        },
    }
