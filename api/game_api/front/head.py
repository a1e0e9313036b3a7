"""The first line and headers of a request.

Usual ones are read by one regular expression. Everything else is left to gunicorn's parser, which knows all rules and
says what is wrong.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.body import ChunkedReader, LengthReader  # type: ignore[import-untyped]
from gunicorn.http.errors import UnsupportedTransferCoding  # type: ignore[import-untyped]
from gunicorn.http.message import Request as GunicornRequest  # type: ignore[import-untyped]
from gunicorn.http.unreader import IterUnreader  # type: ignore[import-untyped]

from game_api.errors import InvalidRequestError

CHUNKED = -1
"""The length of a body that is sent in chunks."""

END = re.compile(rb"\r\n\r\n|(?<!\r)\n")
"""The end of the headers, or a line end that makes them invalid."""

_USUAL = re.compile(
    rb"(GET|POST|HEAD|OPTIONS|PUT|DELETE|PATCH) (/[!-\"$->@-~]*)(?:\?([!-\"$-~]*))? HTTP/1\.([01])\r\n"
    rb"((?:[!#$%&'*+\-.^`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*)\r\n"
)
_USUAL_SIZE = 4096
"""Limits on lines and headers can only be exceeded by more bytes than this."""
_UNUSUAL = frozenset({"transfer-encoding", "expect"})
_MOST_HEADERS = 50


@dataclass(slots=True)
class Head:
    """`length` is that of the body, or CHUNKED; `expects` tells whether the client waits for `100 Continue`."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    minor: int
    keeps_alive: bool
    length: int = 0
    expects: bool = False


def parse(data: bytes, cfg: Config, peer: Any) -> Head:  # noqa: ANN401 a socket's address
    """Parse all bytes up to the end of the headers. Raises gunicorn's ParseException or InvalidRequestError."""
    found = _USUAL.fullmatch(data) if len(data) <= _USUAL_SIZE else None
    if found:
        method, path, query, minor, lines = found.groups()
        headers: dict[str, str] = {}
        fields = lines.decode("latin-1").split("\r\n")
        for line in fields[:-1]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip(" \t")
        length = headers.get("content-length", "0")
        if (
            len(headers) == len(fields) - 1 <= _MOST_HEADERS
            and _UNUSUAL.isdisjoint(headers)
            and length.isdecimal()
            and length.isascii()
            and len(length) < 10
        ):
            kept = _keeps_alive(headers.get("connection", ""), int(minor))
            query_text = query.decode() if query else ""
            return Head(method.decode(), _decoded(path), query_text, headers, int(minor), kept, int(length))
    return _parse_any(data, cfg, peer)


def _parse_any(data: bytes, cfg: Config, peer: Any) -> Head:  # noqa: ANN401
    request = GunicornRequest(cfg, IterUnreader([data]), peer)
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        if key == "transfer-encoding" and value.strip(" \t").lower() != "chunked":
            # gunicorn accepts other codings but does not decode them.
            raise UnsupportedTransferCoding(value)
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    length = 0
    if isinstance(request.body.reader, ChunkedReader):
        length = CHUNKED
    elif isinstance(request.body.reader, LengthReader):
        length = int(request.body.reader.length)
    minor = request.version[1]
    return Head(
        request.method,
        _decoded(request.path.encode("latin-1")),
        request.query or "",
        headers,
        minor,
        _keeps_alive(headers.get("connection", ""), minor),
        length,
        expects=minor > 0 and "expect" in headers,
    )


def _decoded(path: bytes) -> str:
    if b"%" not in path:
        return path.decode("latin-1")
    try:
        return unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise InvalidRequestError("path", "is not UTF-8") from None


def _keeps_alive(connection: str, minor: int) -> bool:
    if not connection:
        return minor > 0
    wanted = {token.strip() for token in connection.lower().split(",")}
    return "close" not in wanted and (minor > 0 or "keep-alive" in wanted)
