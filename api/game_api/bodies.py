"""Request bodies: reading, decompression and size limits."""

import io
import zlib
from collections.abc import Callable

import zstandard
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from game_api.errors import ENCODINGS, InvalidRequestError
from game_api.request import Request

MAX_BODY = 1024 * 1024
"""In bytes, both as sent and decompressed."""

_MAX_MEMBERS = 1000
"""Limit on gzip members or zstd frames in a body: each costs time, even if it is empty."""
# RFC 8878 recommends that decoders support this. A frame's window is allocated in memory.
_MAX_WINDOW = 8 * 1024 * 1024
_ENCODING_HEADER = "Content-Encoding"


def body(request: Request) -> bytes:
    """Return the request's body, decompressed; raise an HTTPException or InvalidRequestError if it is invalid."""
    data = request.body
    encoding = request.headers.get(_ENCODING_HEADER.lower(), "").strip().lower()
    if not data or encoding in ("", "identity"):
        return data
    decompress = _DECOMPRESSORS.get(encoding)
    if decompress is None:
        raise UnsupportedMediaType(f"{_ENCODING_HEADER}: expected one of {ENCODINGS}, got {encoding[:100]}")
    try:
        return decompress(data)
    except (zlib.error, zstandard.ZstdError) as error:
        raise InvalidRequestError(_ENCODING_HEADER, f"expected a {encoding} body, got another one ({error})") from None


def _gunzip(data: bytes) -> bytes:
    decompressed = bytearray()
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(wbits=31)
        decompressed += member.decompress(data, MAX_BODY + 1 - len(decompressed))
        if len(decompressed) > MAX_BODY:
            raise RequestEntityTooLarge
        if not member.eof:
            raise InvalidRequestError(_ENCODING_HEADER, "expected a complete gzip body, got a part")
        data = member.unused_data
        if not data:
            return bytes(decompressed)
    raise InvalidRequestError(_ENCODING_HEADER, f"expected at most {_MAX_MEMBERS} gzip members, got more")


def _unzstd(data: bytes) -> bytes:
    _check_frames(data)
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    with decompressor.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
        decompressed = reader.read(MAX_BODY + 1)
    if len(decompressed) > MAX_BODY:
        raise RequestEntityTooLarge
    return decompressed


def _check_frames(data: bytes) -> None:
    """Raise InvalidRequestError unless the last frame is complete: the decoder would accept a part of it."""
    start = 0
    for _ in range(_MAX_MEMBERS):
        start = _end_of_frame(data, start)
        if start == len(data):
            return
        if start > len(data):
            raise InvalidRequestError(_ENCODING_HEADER, "expected a complete zstd body, got a part")
    raise InvalidRequestError(_ENCODING_HEADER, f"expected at most {_MAX_MEMBERS} zstd frames, got more")


def _end_of_frame(data: bytes, start: int) -> int:
    # RFC 8878, 3.1.2: a skippable frame is one of 16 magic numbers, the length, and that many bytes.
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
        # An RLE block contains a single byte.
        position += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
    return position + checksum


_DECOMPRESSORS: dict[str, Callable[[bytes], bytes]] = {"gzip": _gunzip, "x-gzip": _gunzip, "zstd": _unzstd}
