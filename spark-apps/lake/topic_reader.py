"""Rows of offsets that Spark's Kafka source cannot read.

Spark's source converts each record's timestamp to microseconds before it can be left out, and fails for the whole range
where that overflows: a broker accepts any number that a producer stamps. librdkafka, which reads here, takes timestamps
as they are. The work is split into tasks as Spark does it, at the cost of one more copy of each record.
"""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from confluent_kafka import Message
from game_events.table import spark_schema
from game_kafka.reader import TopicReader
from game_kafka.settings import KafkaSettings
from pyspark.sql import DataFrame, SparkSession

from lake.offsets import OffsetRange
from lake.settings import GROUPS, Settings
from lake.termination import causes
from lake.transforms import Record, decoded

_BEYOND = ("java.lang.ArithmeticException", "java.time.DateTimeException")
"""Java's errors for a time that it cannot represent."""

_PER_TASK = 250_000
_PATIENCE = 60
"""Seconds without a message from the broker."""


def is_needed(error: Exception) -> bool:
    """Whether Spark's Kafka source failed for a record that it cannot hold."""
    return any(cause.startswith(_BEYOND) for cause in causes(error))


def rows(spark: SparkSession, settings: Settings, ranges: Sequence[OffsetRange]) -> DataFrame:
    """Return each record of these offsets as a row of `events`."""
    parts = [
        OffsetRange(one.partition, start, min(start + _PER_TASK, one.end))
        for one in ranges
        for start in range(one.start, one.end, _PER_TASK)
    ]
    kafka = settings.kafka

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from _read(kafka, parts[number])

    return spark.range(0, len(parts), 1, max(1, len(parts))).mapInArrow(read, spark_schema())


def _read(kafka: KafkaSettings, offsets: OffsetRange) -> Iterator[pa.RecordBatch]:
    with TopicReader(kafka, f"{GROUPS}records", _PATIENCE, complete=True) as reader:
        # A range that starts at 0 may be wider than the partition now is.
        start = offsets.start or reader.window(offsets.partition).start
        for messages in reader.read(offsets.partition, range(start, offsets.end)):
            yield decoded([_record(message) for message in messages])


def _record(message: Message) -> Record:
    return message.key(), message.value(), message.partition() or 0, message.offset() or 0, message.timestamp()[1]
