"""What Iceberg reads piece by piece, such as the files of a scan."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any


class IterationError(Exception):
    """An iterable failed before its end; py4j keeps the cause to itself."""


def each(found: Any) -> Iterator[Any]:  # noqa: ANN401 Java's
    """Yield the elements of a CloseableIterable, and close it; raise IterationError if one cannot be read."""
    with closing(found):
        iterator = found.iterator()
        while iterator.hasNext():
            try:
                element = iterator.next()
            # Of a Java iterator, py4j reports every error as its end.
            except StopIteration as error:
                raise IterationError("an element cannot be read") from error
            yield element
