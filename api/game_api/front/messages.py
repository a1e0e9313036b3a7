"""Responses as bytes."""

from email.utils import formatdate
from functools import cache
from http import HTTPStatus
from time import time

from game_api.replies import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_RESTRICTED = (
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
)
"""What browsers may do with a response, unless it has a policy of its own: nothing."""
_POLICY = "Content-Security-Policy"

_date = (0, "")


def message(response: Response, keeps_alive: bool, has_body: bool = True) -> bytes:
    """Return the whole response; without its body for HEAD."""
    head = _first_lines(response.status, keeps_alive, response.media_type, _POLICY in response.headers) + _now()
    for name, value in response.headers.items():
        head += f"{name}: {value}\r\n"
    head += f"Content-Length: {len(response.body)}\r\n\r\n"
    return head.encode("latin-1") + response.body if has_body else head.encode("latin-1")


@cache
def _first_lines(status: int, keeps_alive: bool, media_type: str, has_policy: bool) -> str:
    phrase = HTTPStatus(status).phrase
    connection = "keep-alive" if keeps_alive else "close"
    return (
        f"HTTP/1.1 {status} {phrase}\r\nServer: gunicorn\r\nConnection: {connection}\r\n"
        f"Content-Type: {media_type}\r\n{'' if has_policy else _RESTRICTED}"
    )


def _now() -> str:
    """Return the header with the time, which changes once a second."""
    global _date
    now = int(time())
    if _date[0] != now:
        _date = (now, f"Date: {formatdate(now, usegmt=True)}\r\n")
    return _date[1]
