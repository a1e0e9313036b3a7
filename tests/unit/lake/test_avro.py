"""The frame of an Avro file, by the bytes of Avro's specification."""

import pytest
from lake.erasure.avro import frame

MARKER = bytes(range(16))
WHOLE = b"Obj\x01" + b"\x02\x08name\xc8\x01" + 100 * b"x" + b"\x01\x0c\x02a\x06xyz" + b"\x00" + MARKER
"""A header without blocks: metadata in two parts, of which the second has a negative count and its size."""
BLOCK = b"\x02\x06\x04hi" + MARKER


def test_the_header_is_read() -> None:
    """Metadata may come in several parts; a file without blocks is complete."""
    found = frame(WHOLE)
    assert found.metadata == {"name": 100 * b"x", "a": b"xyz"}
    assert (found.has_blocks, found.is_complete) == (False, True)


def test_a_file_ends_with_its_marker() -> None:
    """A file is complete if its last block is."""
    found = frame(WHOLE + BLOCK)
    assert (found.has_blocks, found.is_complete) == (True, True)
    for end in range(1, len(BLOCK)):
        assert not frame(WHOLE + BLOCK[:end]).is_complete


@pytest.mark.parametrize("end", [0, 3, 4, 5, 8, 11, 50, 113, 120, len(WHOLE) - 1])
def test_a_header_that_ends_early(end: int) -> None:
    """A file that ends within its header has no frame."""
    with pytest.raises(EOFError):
        frame(WHOLE[:end])


def test_another_file() -> None:
    """A file of another kind is refused with its first bytes."""
    with pytest.raises(ValueError, match="expected an Avro file, got one that begins with b'PAR1'"):
        frame(b"PAR1 and more")
