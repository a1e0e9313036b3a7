"""Settling: once a day is over, each of its rows is decided by the once rule, and its files are written for readers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from game_events.once import repeats
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake.settings import EVENTS
from lake.staged_files import Java, load, staged
from lake.termination import root_cause

_SETTLING = timedelta(hours=1)
"""After its end, a day still gets rows: those that were in Kafka by then."""

_MEGABYTE = 1 << 20
_FILE = 256
"""Megabytes that one task sorts and writes."""

# The files of a larger day have separate players, whose rows are together within each event type: the bounds of files
# and pages exclude all other players.
_PLACEMENT = ("kafka_partition", "player")
_ORDER = ("kafka_partition", "family", "event_type", "player", "received_at")

_MOST_REPEATS = 1_000_000
"""Places that every task may hold in memory."""

_OPTIONS = {
    "target-file-size-bytes": str(2 * _FILE * _MEGABYTE),
    "use-table-distribution-and-ordering": "false",
}

_CHANGED = ("ValidationException", "CommitFailedException")


def settle_days_over(spark: SparkSession) -> str:
    """Settle every day that is over, and rows that came later; each day is one commit that changes only `counts`.

    Only files with undecided rows are read and replaced. Rows that were decided before stay decided.
    """
    table = load(spark, EVENTS)
    snapshot = table.currentSnapshot()
    if snapshot is None:
        return "no rows"
    if table.schema().findField("counts") is None:
        return "the table has no column counts: tables.py adds it"
    days = _undecided_files(spark, table, snapshot.snapshotId(), datetime.now(UTC) - _SETTLING)
    before = after = left = 0
    for day, tasks in sorted(days.items()):
        try:
            after += _settle(spark, table, snapshot.snapshotId(), day, tasks)
            before += len(tasks)
        except Py4JJavaError as error:
            if not any(name in root_cause(error) for name in _CHANGED):
                raise
            left += 1
    text = f"{len(days)} days, {before} files became {after}"
    return f"{text}; {left} days were changed meanwhile, left to the next run" if left else text


def _undecided_files(spark: SparkSession, table: Java, snapshot: int, over: datetime) -> dict[date, list[Java]]:
    """Return each day that was over at that time, with those of its files that can have undecided rows.

    Iceberg counts the NULLs of each file in its metadata.
    """
    jvm: Any = spark._jvm
    expressions = jvm.org.apache.iceberg.expressions.Expressions
    today = over.replace(hour=0, minute=0, second=0, microsecond=0)
    before = expressions.lessThan("received_at", f"{today:%Y-%m-%dT%H:%M:%S+00:00}")
    wanted = getattr(expressions, "and")(before, expressions.isNull("counts"))
    # The residual would hide a file's decided rows from the reader.
    found = table.newScan().useSnapshot(snapshot).filter(wanted).ignoreResiduals().planFiles()
    days: dict[date, list[Java]] = defaultdict(list)
    try:
        files = found.iterator()
        while files.hasNext():
            task = files.next()
            days[date(1970, 1, 1) + timedelta(days=task.file().partition().get(0))].append(task)
    finally:
        found.close()
    return days


def _settle(spark: SparkSession, table: Java, snapshot: int, day: date, tasks: Sequence[Java]) -> int:
    size = sum(task.file().fileSizeInBytes() for task in tasks)
    records = sum(task.file().recordCount() for task in tasks)
    count = max(1, -(-size // (_FILE * _MEGABYTE)))
    places = _repeats(spark, snapshot, day).cache()
    try:
        is_broadcast = places.count() <= _MOST_REPEATS
        with staged(spark, table, tasks, _blooms(records // count)) as files:
            rows = _decided(files.rows(), F.broadcast(places) if is_broadcast else places)
            placed = rows.repartitionByRange(count, *_PLACEMENT) if count > 1 else rows.coalesce(1)
            files.write(placed.sortWithinPartitions(*_ORDER), _OPTIONS)
            return files.replace(snapshot)
    finally:
        places.unpersist()


def _decided(rows: DataFrame, places: DataFrame) -> DataFrame:
    is_repeat = (rows.kafka_partition == places.repeat_partition) & (rows.kafka_offset == places.repeat_offset)
    counts = F.coalesce("counts", F.isnull("repeat_offset")).alias("counts")
    return rows.join(places, is_repeat, "left").select(*(counts if n == "counts" else n for n in rows.columns))


def _repeats(spark: SparkSession, snapshot: int, day: date) -> DataFrame:
    spark.sql(f"SELECT * FROM {EVENTS} VERSION AS OF {snapshot}").createOrReplaceTempView("around")
    return spark.sql(repeats("around", day)).toDF("repeat_partition", "repeat_offset")


def _blooms(rows: int) -> dict[str, str]:
    """Return the properties for Bloom filters of files with so many rows: without a number, each takes a megabyte."""
    number = str(max(rows, 1))
    return {
        name: value
        for column in ("player", "event_id")
        for name, value in (
            (f"write.parquet.bloom-filter-enabled.column.{column}", "true"),
            (f"write.parquet.bloom-filter-ndv.column.{column}", number),
        )
    }
