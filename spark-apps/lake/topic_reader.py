"""Rows of offsets that Spark's Kafka source cannot read.

It turns each record's timestamp into microseconds before anybody can leave it out, and fails for the whole range where
one has no such number: a broker accepts any that a producer stamps. Here librdkafka reads, which takes them as they
are; it shares the work out as Spark does, but takes a copy more of each record.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.cimpl import KafkaError
from game_events.table import spark_schema
from pyspark.sql import DataFrame, SparkSession

from lake.offsets import OffsetRange
from lake.settings import GROUPS, Settings
from lake.termination import causes
from lake.transforms import Record, decoded

_BEYOND = ("java.lang.ArithmeticException", "java.time.DateTimeException")
"""What Java says of a time that it cannot count or name."""

_PER_TASK = 250_000
_AT_ONCE = 100
"""Records, each of a megabyte at most, that are in memory as they came."""
_PATIENCE = 60
"""Seconds without a word of the broker."""


def is_needed(error: Exception) -> bool:
    """Whether Spark's Kafka source failed for a record that it cannot hold."""
    return any(cause.startswith(_BEYOND) for cause in causes(error))


def rows(spark: SparkSession, settings: Settings, ranges: Sequence[OffsetRange]) -> DataFrame:
    """Make each record of these offsets a row of `events`."""
    parts = [
        OffsetRange(one.partition, start, min(start + _PER_TASK, one.end))
        for one in ranges
        for start in range(one.start, one.end, _PER_TASK)
    ]
    client, topic = settings.kafka_client(), settings.topic

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from _read(client, topic, parts[number])

    return spark.range(0, len(parts), 1, max(1, len(parts))).mapInArrow(read, spark_schema())


def _read(client: Mapping[str, str], topic: str, offsets: OffsetRange) -> Iterator[pa.RecordBatch]:
    # It joins no group: the name is only demanded by the client.
    joins_none = {"group.id": f"{GROUPS}records", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({**client, **joins_none, "isolation.level": "read_committed", "auto.offset.reset": "error"})
    try:
        low, _ = consumer.get_watermark_offsets(TopicPartition(topic, offsets.partition), _PATIENCE)
        # A range that is said to start at 0 may be wider than the topic is.
        consumer.assign([TopicPartition(topic, offsets.partition, offsets.start or low)])
        position, heard = offsets.start or low, time.monotonic()
        while position < offsets.end:
            messages = consumer.consume(_AT_ONCE, timeout=1)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > _PATIENCE:
                raise TimeoutError(f"{topic}: nothing of offsets {offsets} for {_PATIENCE} s")
            records: list[Record] = []
            for message in messages:
                error, offset = message.error(), message.offset() or 0
                if error and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                # The end of the partition has an offset too: that of the record to come.
                position = offset if error else offset + 1
                if not error and offset < offsets.end:
                    records.append((message.key(), message.value(), offsets.partition, offset, message.timestamp()[1]))
            if records:
                yield decoded(records)
    finally:
        consumer.close()
