"""Requests' bodies: read, unpacked, and never larger than allowed."""

import io
import zlib
from collections.abc import Callable

import zstandard
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from game_api.errors import InvalidRequestError

MAX_BODY = 1024 * 1024
"""Bytes, as it comes and unpacked."""
ENCODINGS = "gzip, zstd"

_MAX_MEMBERS = 1000
"""Members of a gzip body, frames of a zstd one: each costs time, and may be empty."""
# What every decoder of zstd should support, by RFC 8878; a frame that asks for more asks for that much memory.
_MAX_WINDOW = 8 * 1024 * 1024
_HEADER = "Content-Encoding"


def add_limits(app: Flask) -> None:
    # One more than allowed: a body of unknown length is cut there in silence, and only so is seen to be too large.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY + 1
    app.before_request(_refuse_large_body)


def _refuse_large_body() -> None:
    # Flask looks at a body's length only when a view reads it.
    if (request.content_length or 0) > MAX_BODY:
        raise RequestEntityTooLarge


def body() -> bytes:
    """Return the request's body, unpacked; raise what is wrong with it."""
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return b""
    data = request.get_data(cache=False)
    if len(data) > MAX_BODY:
        raise RequestEntityTooLarge
    encoding = request.headers.get(_HEADER, "").strip().lower()
    if not data or encoding in ("", "identity"):
        return data
    unpack = _UNPACK.get(encoding)
    if unpack is None:
        raise UnsupportedMediaType(f"{_HEADER}: expected one of {ENCODINGS}, got {encoding[:100]}")
    try:
        return unpack(data)
    except (zlib.error, zstandard.ZstdError) as error:
        raise InvalidRequestError(_HEADER, f"expected {encoding}, got a body that is not ({error})") from None


def _gunzip(data: bytes) -> bytes:
    unpacked = bytearray()
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(wbits=31)
        unpacked += member.decompress(data, MAX_BODY + 1 - len(unpacked))
        if len(unpacked) > MAX_BODY:
            raise RequestEntityTooLarge
        if not member.eof:
            raise InvalidRequestError(_HEADER, "expected the whole of a gzip body, got a part")
        data = member.unused_data
        if not data:
            return bytes(unpacked)
    raise InvalidRequestError(_HEADER, f"expected at most {_MAX_MEMBERS} gzip members in a body, got more")


def _unzstd(data: bytes) -> bytes:
    _check_frames(data)
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    with decompressor.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
        unpacked = reader.read(MAX_BODY + 1)
    if len(unpacked) > MAX_BODY:
        raise RequestEntityTooLarge
    return unpacked


def _check_frames(data: bytes) -> None:
    """Raise InvalidRequestError unless the last frame is whole: the decoder would return what there is of it."""
    start = 0
    for _ in range(_MAX_MEMBERS):
        start = _end_of_frame(data, start)
        if start == len(data):
            return
        if start > len(data):
            raise InvalidRequestError(_HEADER, "expected the whole of a zstd body, got a part")
    raise InvalidRequestError(_HEADER, f"expected at most {_MAX_MEMBERS} zstd frames in a body, got more")


def _end_of_frame(data: bytes, start: int) -> int:
    # RFC 8878, 3.1.2: a skippable frame is a number of sixteen, the length, and that many bytes.
    if data[start + 1 : start + 4] == b"\x2a\x4d\x18" and data[start] >> 4 == 5:
        return start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
    header = data[start : start + 18]
    position = start + zstandard.frame_header_size(header)
    checksum = 4 if zstandard.get_frame_parameters(header).has_checksum else 0
    is_last = False
    while not is_last:
        block = int.from_bytes(data[position : position + 3], "little")
        if position + 3 > len(data):
            return position + 3
        is_last = bool(block & 1)
        # A block of one byte repeated has only that byte.
        position += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
    return position + checksum


_UNPACK: dict[str, Callable[[bytes], bytes]] = {"gzip": _gunzip, "x-gzip": _gunzip, "zstd": _unzstd}
