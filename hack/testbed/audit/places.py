"""Places in the topic, and what Kafka and the table have there."""

from typing import NamedTuple


class Place(NamedTuple):
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class Record(NamedTuple):
    """A record in Kafka: its event id, if it is an event, and the SHA-256 of its value, if it has one.

    `contents` are the digests of all rows that it may become.
    """

    offset: int
    event_id: str | None
    digest: str | None
    contents: tuple[str, ...]


class Row(NamedTuple):
    """A row of the table; `digest` is the SHA-256 of a rejected row's raw value, `content` that of all columns."""

    offset: int
    family: str
    event_id: str | None
    digest: str | None
    content: str
