"""Responses to requests that gunicorn refuses before they reach the application."""

import re
from http import HTTPStatus
from typing import NamedTuple

import orjson
from game_events.codec import printable
from gunicorn.http import errors  # type: ignore[import-untyped]

from game_api.replies import accepts_json

_SHOWN = 100
"""How many characters of a client's text a response repeats."""
_ACCEPT = re.compile(rb"^accept:(.*?)\r?$", re.IGNORECASE | re.MULTILINE)


class LateError(Exception):
    """The client did not send this part of its request in time."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part}: expected within the time limit, got only a part")
        self.part = part


class Refusal(NamedTuple):
    status: int
    problem: str
    field: str = ""

    def message(self, accept: str = "") -> bytes:
        """Return the whole response, after which the connection is closed."""
        if accepts_json(accept):
            media_type = "application/json"
            body = orjson.dumps({"error": self.problem} | ({"field": self.field} if self.field else {}))
        else:
            media_type = "text/plain; charset=utf-8"
            body = f"{self.problem}\n".encode()
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body


def accept_of(head: bytes) -> str:
    """Return the Accept header of a request that was not parsed, as far as it was received."""
    found = _ACCEPT.search(head)
    return found[1].decode("latin-1").strip() if found else ""


def refusal(error: Exception) -> Refusal:
    """Return the response to an error."""
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)
    if status == 500:
        return Refusal(500, "Internal Server Error: the request failed")
    problem = problem_of(error)
    return Refusal(status, problem, problem.partition(":")[0])


def problem_of(error: Exception) -> str:
    """Return the error's message as `NAME: expected …`."""
    match error:
        case errors.InvalidRequestLine():
            return f"request line: expected METHOD PATH HTTP/1.1 in printable ASCII, got {_shown(error.req)}"
        case errors.InvalidRequestMethod():
            return f"method: expected an HTTP method, got {_shown(error.method)}"
        case errors.InvalidHTTPVersion():
            return f"version: expected HTTP/1.0 or HTTP/1.1, got {_shown(error.version)}"
        case errors.LimitRequestLine():
            return f"request line: expected at most {error.max_size} bytes"
        case errors.LimitRequestHeaders():
            return f"headers: expected fewer or shorter headers ({error})"
        case errors.ObsoleteFolding():
            return f"{_shown(error.hdr)}: expected a header on one line, got a folded one"
        case errors.InvalidHeaderName():
            return f"{_shown(error.hdr)}: expected a valid header name"
        case errors.InvalidHeader():
            return f"{_shown(error.hdr)}: expected a single header without control characters or contradictions"
        case errors.UnsupportedTransferCoding():
            return f"Transfer-Encoding: expected chunked, got {_shown(error.hdr)}"
        case errors.ExpectationFailed():
            return f"Expect: expected 100-continue, got {_shown(error.expect)}"
        case errors.InvalidChunkSize() | errors.ChunkMissingTerminator() | errors.InvalidChunkExtension():
            return f"body: expected valid chunks ({error})"
    return str(error)


def _shown(text: object) -> str:
    return printable(str(text))[:_SHOWN]


_STATUSES: dict[type[Exception], int] = {
    LateError: 408,
    errors.InvalidResponseHeader: 500,
    errors.InvalidResponseHeaderName: 500,
    errors.InvalidHTTPVersion: 505,
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.UnsupportedTransferCoding: 501,
    errors.ExpectationFailed: 417,
    errors.ConfigurationProblem: 500,
    errors.ParseException: 400,
}
