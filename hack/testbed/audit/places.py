"""Places in the topic, and what lies there: in Kafka, in the table."""

from typing import NamedTuple


class Place(NamedTuple):
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class Record(NamedTuple):
    """What Kafka holds at an offset: the id, if it is an event, and the SHA-256 of the value, if there is one.

    `contents` are the digests of the rows that it may be.
    """

    offset: int
    event_id: str | None
    digest: str | None
    contents: tuple[str, ...]


class Row(NamedTuple):
    """What the table holds at an offset; `digest` is a rejected row's raw value's, `content` that of all columns."""

    offset: int
    family: str
    event_id: str | None
    digest: str | None
    content: str
