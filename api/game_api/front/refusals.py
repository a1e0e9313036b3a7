"""The errors of requests that are no valid HTTP, by the errors of gunicorn's parser."""

import re

from game_events.codec import printable
from gunicorn.asgi.parser import ParseError  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]

from game_api.errors import MalformedError

_SHOWN = 100
"""How many characters of a client's text a response repeats."""
_V1 = re.compile(rb"[A-Za-z]+ /v1/")
_ACCEPT = re.compile(rb"^accept:(.*?)\r?$", re.IGNORECASE | re.MULTILINE)


def accept_of(head: bytes) -> str:
    """Return the Accept header of a request that was not parsed, as far as it was received."""
    found = _ACCEPT.search(head)
    return found[1].decode("latin-1").strip() if found else ""


def path_of(head: bytes) -> str:
    """Return what is known of the path of a request that was not parsed: its version."""
    return "/v1/" if _V1.match(head) else ""


def refusal(error: Exception) -> Exception:
    """Return the application's error for one of gunicorn's parser; other errors are returned as they are."""
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 0)
    return MalformedError(status, problem_of(error)) if status else error


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
        case ParseError():
            return f"body: expected valid chunks ({error})"
    return str(error)


def _shown(text: object) -> str:
    return printable(str(text))[:_SHOWN]


_STATUSES: dict[type[Exception], int] = {
    errors.InvalidHTTPVersion: 505,
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.UnsupportedTransferCoding: 501,
    errors.ExpectationFailed: 417,
    errors.ParseException: 400,
    ParseError: 400,
}
