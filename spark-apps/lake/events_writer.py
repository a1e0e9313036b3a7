"""The only writer of the table `events`: every offset becomes one row, however often and by whichever job."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake.offsets import OffsetRange
from lake.retry import retried
from lake.settings import EVENTS


def write(rows: DataFrame, ranges: Sequence[OffsetRange]) -> None:
    """Write rows with offsets in these ranges; existing rows of the same offsets are kept.

    Only the row of a rejected record is replaced, if the record is valid by now. Each call is atomic and idempotent,
    also beside others: it checks the offsets in the table, so that no lost checkpoint or expired snapshot can duplicate
    a row.
    """
    ranges = [one for one in ranges if one.size]
    if not ranges:
        return
    retried(lambda: _write_once(rows, ranges))


def _write_once(rows: DataFrame, ranges: Sequence[OffsetRange]) -> None:
    snapshot, is_free = _look(rows.sparkSession, ranges)
    if is_free:
        _append(rows, ranges, snapshot)
    else:
        _merge(rows, ranges)


def _look(spark: SparkSession, ranges: Sequence[OffsetRange]) -> tuple[int | None, bool]:
    """Return the table's current snapshot, and whether none of its files can have rows of these ranges.

    Iceberg's own API only reads metadata: a query would take several times as long as most batches.
    """
    jvm: Any = spark._jvm
    table = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, EVENTS)
    snapshot = table.currentSnapshot()
    if snapshot is None:
        return None, True
    files = table.newScan().useSnapshot(snapshot.snapshotId()).filter(_filter(jvm, ranges)).planFiles()
    try:
        return snapshot.snapshotId(), not files.iterator().hasNext()
    finally:
        files.close()


def _filter(jvm: Any, ranges: Sequence[OffsetRange]) -> Any:  # noqa: ANN401 Java's
    expressions = jvm.org.apache.iceberg.expressions.Expressions
    both, either = getattr(expressions, "and"), getattr(expressions, "or")
    return reduce(
        either,
        (
            both(
                expressions.equal("kafka_partition", r.partition),
                both(
                    expressions.greaterThanOrEqual("kafka_offset", r.start),
                    expressions.lessThan("kafka_offset", r.end),
                ),
            )
            for r in ranges
        ),
    )


def _append(rows: DataFrame, ranges: Sequence[OffsetRange], snapshot: int | None) -> None:
    """Append, unless another writer has added rows of these ranges since that snapshot, which had none.

    This overwrites nothing: unlike an append, Iceberg checks an overwrite for conflicts when it commits.
    """
    writer = rows.writeTo(EVENTS).option("isolation-level", "serializable")
    if snapshot is not None:
        writer = writer.option("validate-from-snapshot-id", str(snapshot))
    writer.overwrite(_inside(ranges))


def _merge(rows: DataFrame, ranges: Sequence[OffsetRange]) -> None:
    """Add missing rows. The MATCHED clause also makes Iceberg check for conflicts, which inserts alone would not."""
    rows.createOrReplaceTempView("batch")
    # The bounds are literals for the table, so that file statistics exclude all other files.
    inside = " OR ".join(
        f"(t.kafka_partition = {r.partition} AND t.kafka_offset >= {r.start} AND t.kafka_offset < {r.end})"
        for r in ranges
    )
    rows.sparkSession.sql(
        f"MERGE INTO {EVENTS} AS t USING batch AS s "
        f"ON t.kafka_partition = s.kafka_partition AND t.kafka_offset = s.kafka_offset AND ({inside}) "
        "WHEN MATCHED AND t.family = 'rejected' AND s.family <> 'rejected' THEN UPDATE SET * "
        "WHEN NOT MATCHED THEN INSERT *"
    )


def _inside(ranges: Sequence[OffsetRange]) -> Column:
    partition, offset = F.col("kafka_partition"), F.col("kafka_offset")
    return reduce(or_, ((partition == r.partition) & (offset >= r.start) & (offset < r.end) for r in ranges))
