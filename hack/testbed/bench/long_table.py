"""The table `events` as after a long time: the metadata of its files, without the files."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from lake import events_writer, history
from lake.coverage import Coverage
from lake.history import State
from lake.java_class import Java, java_class
from lake.offsets import OffsetRange
from lake.transforms import to_events
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from testbed.bench import traffic

PARTITIONS = 4
_RECORDS = 100
"""Of a partition, in a batch of the stream."""
_SAMPLES = 8
"""Real files of a partition, whose statistics all others have: enough of them not to compress better than others."""
_SIZE = 256 << 20
_TOPIC_ID = "long-table"
_APPEND = 10_000
"""Files of one commit."""


def load(spark: SparkSession, *, decided: bool = False) -> None:
    """Load a small batch into each partition, as the stream does, or as if its rows were decided by the once rule."""
    stage(spark, decided=decided)()


def stage(spark: SparkSession, *, decided: bool = False) -> Callable[[], None]:
    """Write a batch; return what commits it."""
    table = history.table(spark)
    state = history.state(table)
    ranges = [OffsetRange(n, end := state.coverage.end(n), end + _RECORDS) for n in range(PARTITIONS)]
    records = [
        (key, value, one.partition, offset)
        for one in ranges
        for offset, (key, value) in enumerate(traffic.records(one.size), one.start)
    ]
    rows = spark.createDataFrame(records, "key BINARY, value BINARY, partition INT, offset BIGINT")
    # Decided rows are those of many files for each partition.
    tasks = rows.repartition(_SAMPLES) if decided else rows.repartition(PARTITIONS, "partition")
    after = State(state.snapshot, _TOPIC_ID, state.coverage | Coverage.of(ranges), state.last)
    found = to_events(tasks.withColumn("timestamp", F.current_timestamp()))
    staged = events_writer.stage(found.withColumn("counts", F.lit(True)) if decided else found, table)
    return lambda: staged.commit(ranges, state.snapshot, after.summary(_TOPIC_ID))


def samples(spark: SparkSession) -> list[Java]:
    """Load decided rows of now; return the files, whose statistics those of other days can have."""
    load(spark, decided=True)
    table = history.table(spark)
    return list(table.currentSnapshot().addedDataFiles(table.io()))


def add(spark: SparkSession, like: list[Java], days: int, files: int, until: date) -> None:
    """Add the metadata of so many files, like these, for each of the days before `until`."""
    table = history.table(spark)
    append, added = table.newAppend(), 0
    for number in range(days, 0, -1):
        for file in _of_day(spark, table, like, until - timedelta(days=number), files):
            append.appendFile(file)
            added += 1
        if added >= _APPEND or number == 1:
            append.commit()
            append, added = table.newAppend(), 0


def _of_day(spark: SparkSession, table: Java, real: list[Java], day: date, files: int) -> Iterator[Java]:
    data_files = java_class(spark, "org.apache.iceberg.DataFiles")
    spec = table.spec()
    like = [_like(spark, table, one, day) for one in real]
    folder = f"{table.location()}/data"
    for number in range(files):
        path = f"{folder}/{day}/{number:05}-{random.getrandbits(128):032x}.parquet"
        yield data_files.builder(spec).copy(like[number % len(like)]).withPath(path).build()


def _like(spark: SparkSession, table: Java, real: Java, day: date) -> Java:
    """Return a file as this one of another day, whose rows are decided."""
    lower, upper = _copy(spark, real.lowerBounds()), _copy(spark, real.upperBounds())
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1_000_000)
    convert = java_class(spark, "org.apache.iceberg.types.Conversions").toByteBuffer
    kind = java_class(spark, "org.apache.iceberg.types.Types.LongType").get()
    for name in ("received_at", "kafka_timestamp"):
        field = table.schema().findField(name).fieldId()
        lower.put(field, convert(kind, noon))
        upper.put(field, convert(kind, noon + 3_600_000_000))
    metrics = java_class(spark, "org.apache.iceberg.Metrics")(
        real.recordCount(),
        real.columnSizes(),
        real.valueCounts(),
        real.nullValueCounts(),
        real.nanValueCounts(),
        lower,
        upper,
    )
    partition = f"received_at_day={day}/kafka_partition={real.partition().get(1)}"
    builder = java_class(spark, "org.apache.iceberg.DataFiles").builder(table.spec()).copy(real)
    builder = builder.withFileSizeInBytes(_SIZE)
    return builder.withPartitionPath(partition).withMetrics(metrics).build()


def _copy(spark: SparkSession, map_of: Java) -> Java:
    return java_class(spark, "java.util.HashMap")(map_of)
