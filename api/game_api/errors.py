"""Errors of the service, and the responses to them."""

import logging

from game_events.codec import shown
from game_world.world import LimitedError, RefusedError, WorldUnavailableError
from werkzeug.exceptions import HTTPException, InternalServerError, UnsupportedMediaType

from game_api.identity.credentials import refusal_headers
from game_api.identity.errors import ForbiddenError, KeysUnavailableError, UnauthorizedError
from game_api.replies import Response, error_reply, limited_reply, refused_reply
from game_api.request import Request

ENCODINGS = "gzip, zstd"
"""The content encodings of bodies that the service reads."""

_log = logging.getLogger(__name__)


class InvalidRequestError(ValueError):
    """An invalid request; `field` names the wrong header, parameter or part of the body."""

    kind = "invalid-request"
    """The kind of problem: one of `v1.problems`."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = shown(field)
        super().__init__(f"{self.field}: {problem}")


class LateError(Exception):
    """The client did not send this part of its request in time."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part}: expected within the time limit, got only a part")
        self.part = part


class MalformedError(Exception):
    """The request is no valid HTTP; the message begins with the part that is wrong."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.part = problem.partition(":")[0]


class BusyError(Exception):
    """The service has too many requests at once: this one was refused before anything happened."""


def error_response(request: Request, error: Exception) -> Response:
    """Return the response to an error; log one that is not the client's."""
    match error:
        case InvalidRequestError():
            return error_reply(request, error.kind, str(error), 400, error.field)
        case LateError():
            return error_reply(request, "request-timeout", str(error), 408, error.part)
        case MalformedError():
            return error_reply(request, "malformed-request", str(error), error.status, error.part)
        case RefusedError():
            return error_reply(request, error.reason, str(error), 409, error.field)
        case LimitedError():
            return limited_reply(request, str(error), error.field, error.seconds)
        case UnauthorizedError():
            response = error_reply(request, "unauthorized", str(error), 401, error.field)
            response.headers.update(refusal_headers(error, request.is_https))
            return response
        case ForbiddenError():
            return error_reply(request, "forbidden", str(error), 403, error.field)
        case WorldUnavailableError() | KeysUnavailableError() | BusyError():
            return refused_reply(request, _UNAVAILABLE[type(error)], str(error))
        case HTTPException():
            return _http_response(request, error)
    _log.error("the request failed", exc_info=error)
    return _http_response(request, InternalServerError())


_UNAVAILABLE: dict[type[Exception], str] = {
    WorldUnavailableError: "world-unavailable",
    KeysUnavailableError: "keys-unavailable",
    BusyError: "busy",
}
_HTTP_KINDS = {
    400: "malformed-request",
    403: "speculative-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}
"""The kinds of problem by the status of Werkzeug's exceptions."""


def _http_response(request: Request, error: HTTPException) -> Response:
    status = error.code or 500
    kind = _HTTP_KINDS.get(status, "internal-error")
    response = error_reply(request, kind, f"{error.name}: {error.description}", status)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    if isinstance(error, UnsupportedMediaType):
        response.headers["Accept-Encoding"] = ENCODINGS
    return response
