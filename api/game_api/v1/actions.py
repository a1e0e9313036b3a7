"""`POST /v1/actions/<event type>`: an action whose parameters, and context, are a JSON object."""

from collections.abc import Mapping
from typing import Any

from game_events.context import CONTEXT
from werkzeug.exceptions import UnsupportedMediaType

from game_api.bodies import body
from game_api.errors import InvalidRequestError
from game_api.origin import KEY_HEADER
from game_api.parameters import JSON, members, pairs
from game_api.replies import Response, json_reply
from game_api.request import Request
from game_api.single import Action

_CONTEXT = {field.name: field for field in CONTEXT}


class KeyRequiredError(InvalidRequestError):
    """An action that changes the world has no key: a retry could happen twice."""

    kind = "key-required"

    def __init__(self) -> None:
        super().__init__(KEY_HEADER, "expected a key of this request, under which retries count once; got none")


class ActionV1(Action):
    """An action as version 1 takes it: the rules are those of `Action`."""

    def _check_key(self, key: str) -> None:
        if not key and not self._type.is_free:
            raise KeyRequiredError

    def _read(self, request: Request) -> dict[str, Any]:
        for name, _ in pairs(request.query):
            raise InvalidRequestError(name[:100], "expected no query: parameters are members of a JSON object")
        data = body(request)
        if request.media_type != JSON and (data or request.media_type):
            raise UnsupportedMediaType(f"Content-Type: expected {JSON}, got {request.media_type[:100] or 'none'}")
        return members(data, self._parameters | _CONTEXT)

    def _acked(self, request: Request, event: Mapping[str, Any], body: Mapping[str, Any]) -> Response:
        if self._world and event.get("idempotent"):
            self._world.note_receipt(event, body["partition"], body["offset"])
        fields = {field.name: event[field.name] for field in self._type.own_fields if field.name in event}
        return json_reply({"event_type": self._type.name, "player": event["player"], **body, "fields": fields})
