"""The topic's records, offset by offset."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import orjson
from game_kafka.reader import TopicReader

from testbed.audit import digests
from testbed.audit.places import Record
from testbed.settings import Settings


class Records(Protocol):
    """The records of a topic, however its broker is reached."""

    def partitions(self) -> list[int]:
        """Return the topic's partitions: some may have been added since it was created."""
        ...

    def window(self, partition: int) -> range:
        """Return the offsets that Kafka has now, up to the first open transaction."""
        ...

    def read(self, partition: int, offsets: range) -> Iterator[Record]:
        """Yield the records at these offsets."""
        ...


class KafkaRecords:
    def __init__(self, reader: TopicReader) -> None:
        self._reader = reader

    def partitions(self) -> list[int]:
        return self._reader.partitions()

    def window(self, partition: int) -> range:
        return self._reader.window(partition)

    def read(self, partition: int, offsets: range) -> Iterator[Record]:
        for messages in self._reader.read(partition, offsets):
            for message in messages:
                place = (partition, message.offset() or 0)
                yield record(place, message.key(), message.value(), message.timestamp()[1])


@contextmanager
def kafka_records(settings: Settings) -> Iterator[KafkaRecords]:
    with TopicReader(settings.kafka, "local") as reader:
        yield KafkaRecords(reader)


def record(place: tuple[int, int], key: bytes | None, value: bytes | None, milliseconds: int) -> Record:
    """Describe a record; `place` is its partition and offset, `milliseconds` is its timestamp."""
    digest = None if value is None else hashlib.sha256(value).hexdigest()
    return Record(place[1], _event_id(value), digest, digests.digests(key, value, place, milliseconds))


def _event_id(value: bytes | None) -> str | None:
    try:
        event_id = orjson.loads(value or b"")["event_id"]
    except (ValueError, TypeError, KeyError):
        return None
    return event_id if isinstance(event_id, str) else None
