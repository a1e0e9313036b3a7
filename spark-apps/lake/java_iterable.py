"""What Iceberg reads piece by piece, such as the files of a scan."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any


def each(found: Any) -> Iterator[Any]:  # noqa: ANN401 Java's
    """Yield the elements of a CloseableIterable, and close it."""
    with closing(found):
        iterator = found.iterator()
        while iterator.hasNext():
            yield iterator.next()
