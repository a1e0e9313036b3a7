"""The topic's records, offset by offset."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import orjson
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.cimpl import KafkaError

from testbed.audit import digests
from testbed.audit.places import Record
from testbed.settings import Settings

_TIMEOUT = 30
"""Seconds for one answer of the broker."""

_BATCH = 10_000


class Records(Protocol):
    """The records of a topic, wherever its broker can be reached."""

    def partitions(self) -> list[int]:
        """The topic's partitions: some may have been added since it was made."""
        ...

    def window(self, partition: int) -> range:
        """The offsets that Kafka has now, up to those of transactions that are open."""
        ...

    def read(self, partition: int, offsets: range) -> Iterator[Record]:
        """What lies at these offsets, as far as they are records."""
        ...


class KafkaRecords:
    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic

    def partitions(self) -> list[int]:
        return sorted(self._consumer.list_topics(self._topic, _TIMEOUT).topics[self._topic].partitions)

    def window(self, partition: int) -> range:
        return range(*self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), _TIMEOUT))

    def read(self, partition: int, offsets: range) -> Iterator[Record]:
        self._consumer.assign([TopicPartition(self._topic, partition, offsets.start)])
        left, heard = offsets, time.monotonic()
        while left:
            # It waits for as many as it is asked for, even where offsets are no records.
            messages = self._consumer.consume(min(len(left), _BATCH), timeout=1)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > _TIMEOUT:
                raise TimeoutError(f"Kafka sent nothing of partition {partition} for {_TIMEOUT} s")
            for message in messages:
                if error := message.error():
                    if error.code() == KafkaError._PARTITION_EOF:
                        return
                    raise KafkaException(error)
                offset = message.offset() or 0
                if offset in left:
                    yield record((partition, offset), message.key(), message.value(), message.timestamp()[1])
                left = range(offset + 1, offsets.stop)


@contextmanager
def kafka_records(settings: Settings) -> Iterator[KafkaRecords]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            # It joins no group: `group.id` is only demanded by the client.
            "group.id": "local",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "queued.max.messages.kbytes": 16_384,
        }
    )
    try:
        yield KafkaRecords(consumer, settings.topic)
    finally:
        consumer.close()


def record(place: tuple[int, int], key: bytes | None, value: bytes | None, milliseconds: int) -> Record:
    """Describe a record; `place` is its partition and offset, `milliseconds` are its timestamp."""
    digest = None if value is None else hashlib.sha256(value).hexdigest()
    return Record(place[1], _event_id(value), digest, digests.digests(key, value, place, milliseconds))


def _event_id(value: bytes | None) -> str | None:
    try:
        event_id = orjson.loads(value or b"")["event_id"]
    except (ValueError, TypeError, KeyError):
        return None
    return event_id if isinstance(event_id, str) else None
