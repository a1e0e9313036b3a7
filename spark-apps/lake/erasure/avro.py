"""The frame of an Avro file: Avro itself reads a truncated file as one with fewer records."""

from dataclasses import dataclass
from io import BytesIO

_MAGIC = b"Obj\x01"


@dataclass(frozen=True)
class Frame:
    """The header of a file; after it come blocks of records, each of which ends with the file's marker."""

    metadata: dict[str, bytes]
    has_blocks: bool
    is_complete: bool
    """Whether the file ends with a whole block, or without any."""


def frame(content: bytes) -> Frame:
    """Return the frame of a file; raise EOFError if it ends within its header, and ValueError if it is no Avro file."""
    stream = BytesIO(content)
    if (magic := _read(stream, len(_MAGIC))) != _MAGIC:
        raise ValueError(f"expected an Avro file, got one that begins with {magic!r}")
    metadata = {}
    while count := _number(stream):
        if count < 0:
            # The size of this part of the metadata, in bytes.
            _number(stream)
        for _ in range(abs(count)):
            key = _read(stream, _number(stream)).decode()
            metadata[key] = _read(stream, _number(stream))
    marker = _read(stream, 16)
    return Frame(metadata, stream.tell() < len(content), content.endswith(marker))


def _number(stream: BytesIO) -> int:
    """Read a number in seven bits a byte, the lowest first, whose last bit is its sign."""
    number = shift = 0
    while True:
        [byte] = _read(stream, 1)
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1)
        shift += 7


def _read(stream: BytesIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content
