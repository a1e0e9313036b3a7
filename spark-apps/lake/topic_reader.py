"""Rows of the topic that librdkafka reads: a few of them, and those that Spark's Kafka source cannot read.

Spark's source converts each record's timestamp to microseconds before it can be left out, and fails for the whole range
where that overflows: a broker accepts any number that a producer stamps. librdkafka takes timestamps as they are. The
work is split into tasks as Spark does it, at the cost of one more copy of each record.
"""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from confluent_kafka import Message
from game_events.table import spark_schema
from game_kafka.reader import TopicReader
from game_kafka.settings import KafkaSettings
from pyspark.sql import DataFrame, SparkSession

from lake.offsets import OffsetRange, kafka_errors
from lake.settings import GROUPS, Settings
from lake.termination import causes
from lake.transforms import Record, decoded

_BEYOND = ("java.lang.ArithmeticException", "java.time.DateTimeException")
"""Java's errors for a time that it cannot represent."""

_PER_TASK = 250_000
_PATIENCE = 60
"""Seconds without a message from the broker."""
_FEW = 10_000
"""Offsets that this process reads itself …"""
_FEW_BYTES = 16 << 20
"""… if their records have at most so many bytes."""


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
                with _reader(kafka) as reader:
                    for messages in _read(reader, parts[number]):
                        yield decoded([_record(message) for message in messages])

    return spark.range(0, len(parts), 1, max(1, len(parts))).mapInArrow(read, spark_schema())


class FewRecords:
    """Reads in this process, with a connection that stays: tasks take longer to begin than to read a few records."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.kafka.topic
        self._reader = _reader(settings.kafka)

    def rows(self, spark: SparkSession, ranges: Sequence[OffsetRange]) -> DataFrame | None:
        """Return each record of these offsets as a row of `events`; None if they are too many or too large.

        Raises UnavailableError.
        """
        if sum(one.size for one in ranges) > _FEW:
            return None
        records, size = list[Record](), 0
        with kafka_errors(self._name):
            for messages in (found for one in ranges for found in _read(self._reader, one)):
                records += map(_record, messages)
                size += sum(map(len, messages))
                if size > _FEW_BYTES:
                    return None
        # One task: several would write the same few files with more work.
        return spark.createDataFrame(pa.Table.from_batches([decoded(records)]), spark_schema()).coalesce(1)


def _reader(kafka: KafkaSettings) -> TopicReader:
    return TopicReader(kafka, f"{GROUPS}records", _PATIENCE, complete=True)


def _read(reader: TopicReader, offsets: OffsetRange) -> Iterator[list[Message]]:
    # A range that starts at 0 may be wider than the partition now is.
    start = offsets.start or reader.window(offsets.partition).start
    return reader.read(offsets.partition, range(start, offsets.end))


def _record(message: Message) -> Record:
    return message.key(), message.value(), message.partition() or 0, message.offset() or 0, message.timestamp()[1]
