"""`GET /v1/schemas/<event type>`: the JSON Schema of an event in the topic."""

from hashlib import sha256

import orjson
from game_events import EVENT_TYPES, EventType
from game_events.json_schema import Json, event_schema
from werkzeug.http import parse_etags

from game_api.replies import JSON, Response
from game_api.request import Request
from game_api.v1.paths import schema_path

MEDIA_TYPE = "application/schema+json"


class Schema:
    """Answers with a document that changes with the contract only; clients that have it get a 304."""

    def __init__(self, document: Json, media_type: str) -> None:
        self._body = orjson.dumps(document)
        self._tag = sha256(self._body).hexdigest()[:16]
        self._media_type = media_type

    async def __call__(self, request: Request) -> Response:
        headers = {"ETag": f'"{self._tag}"', "Cache-Control": "no-cache"}
        if parse_etags(request.headers.get("if-none-match")).contains_weak(self._tag):
            return Response(b"", 304, self._media_type, headers)
        return Response(self._body, 200, self._media_type, headers)


def schema_list() -> Schema:
    """Return the list of all schemas."""
    listed = [
        {"event_type": each.name, "family": each.family, "path": schema_path(each)} for each in EVENT_TYPES.values()
    ]
    return Schema({"schemas": listed}, JSON)


def schema_of(event_type: EventType) -> Schema:
    return Schema(event_schema(event_type), MEDIA_TYPE)
