"""The table `events` as after a long time: the metadata of its files, without the files."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lake import events_writer, history
from lake.coverage import Coverage
from lake.history import State
from lake.java_class import java_class
from lake.offsets import OffsetRange
from lake.transforms import to_events
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from testbed.bench import traffic

Java = Any
"""An object of the JVM."""

PARTITIONS = 4
_RECORDS = 100
"""Of a partition, in a batch of the stream."""
_TOPIC_ID = "long-table"
_APPEND = 10_000
"""Files of one commit."""


def load(spark: SparkSession) -> None:
    """Load a small batch into each partition, as the stream does."""
    table = history.table(spark)
    state = history.state(table)
    ranges = [OffsetRange(n, end := state.coverage.end(n), end + _RECORDS) for n in range(PARTITIONS)]
    records = [
        (key, value, one.partition, offset)
        for one in ranges
        for offset, (key, value) in enumerate(traffic.records(one.size), one.start)
    ]
    rows = spark.createDataFrame(records, "key BINARY, value BINARY, partition INT, offset BIGINT")
    by_partition = rows.repartition(PARTITIONS, "partition").withColumn("timestamp", F.current_timestamp())
    after = State(state.snapshot, _TOPIC_ID, state.coverage | Coverage.of(ranges), state.last)
    staged = events_writer.stage(to_events(by_partition), table)
    staged.commit(ranges, state.snapshot, after.summary(_TOPIC_ID))


@dataclass(frozen=True)
class Day:
    """A day of the past, which has so many files."""

    date: date
    files: int


def add(spark: SparkSession, days: int, files: int, until: date) -> None:
    """Add the metadata of so many files for each of the days before `until`; they are settled. Needs a loaded batch."""
    table = history.table(spark)
    real = list(table.currentSnapshot().addedDataFiles(table.io()))
    append, added = table.newAppend(), 0
    for number in range(days, 0, -1):
        day = until - timedelta(days=number)
        for file in _of_day(spark, table, real, Day(day, files)):
            append.appendFile(file)
            added += 1
        if added >= _APPEND or number == 1:
            append.commit()
            append, added = table.newAppend(), 0


def _of_day(spark: SparkSession, table: Java, real: list[Java], day: Day) -> Iterator[Java]:
    data_files = java_class(spark, "org.apache.iceberg.DataFiles")
    spec = table.spec()
    like = [_like(spark, table, one, day.date) for one in real]
    folder = f"{table.location()}/data"
    for number in range(day.files):
        path = f"{folder}/{day.date}/{number:05}-{random.getrandbits(128):032x}.parquet"
        yield data_files.builder(spec).copy(like[number % len(like)]).withPath(path).build()


def _like(spark: SparkSession, table: Java, real: Java, day: date) -> Java:
    """Return a file as this one of another day, whose rows are decided."""
    fields = {name: table.schema().findField(name).fieldId() for name in ("received_at", "kafka_timestamp", "counts")}
    lower, upper = _copy(spark, real.lowerBounds()), _copy(spark, real.upperBounds())
    nulls = _copy(spark, real.nullValueCounts())
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1_000_000)
    convert = java_class(spark, "org.apache.iceberg.types.Conversions").toByteBuffer
    kind = java_class(spark, "org.apache.iceberg.types.Types.LongType").get()
    for name in ("received_at", "kafka_timestamp"):
        lower.put(fields[name], convert(kind, noon))
        upper.put(fields[name], convert(kind, noon + 3_600_000_000))
    nulls.put(fields["counts"], spark._jvm.Long.valueOf(0))  # type: ignore[union-attr]
    metrics = java_class(spark, "org.apache.iceberg.Metrics")(
        spark._jvm.Long.valueOf(real.recordCount()),  # type: ignore[union-attr]
        real.columnSizes(),
        real.valueCounts(),
        nulls,
        real.nanValueCounts(),
        lower,
        upper,
    )
    partition = f"received_at_day={day}/kafka_partition={real.partition().get(1)}"
    builder = java_class(spark, "org.apache.iceberg.DataFiles").builder(table.spec()).copy(real)
    return builder.withPartitionPath(partition).withMetrics(metrics).build()


def _copy(spark: SparkSession, map_of: Java) -> Java:
    return java_class(spark, "java.util.HashMap")(map_of)
