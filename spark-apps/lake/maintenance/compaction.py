"""Compaction: small files become larger ones, and completed days are sorted. The rows stay the same.

A replaced file is kept until the snapshots that refer to it expire, so readers are not affected. Appends do not
conflict; files that another writer changes meanwhile are left to the next run.
"""

from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake.settings import EVENTS

_MEGABYTE = 1 << 20
_SMALL = (1, 16, 96)
"""Megabytes. Smaller files of a partition are merged once there are enough of them, tier by tier, so that a row is
rewritten only a few times, and not by every run."""
_ENOUGH = 4
_LARGE = 512
"""The most megabytes that are merged at once, into one file: more would become two files, which every run would merge
again."""

_ORDER = ("family", "event_type", "received_at")
_SETTLING = "1 hour"
"""After its end, a day still gets rows: those that were in Kafka by then."""
_UNSORTED = 0.1
"""The share of a day that may be unsorted because it was late."""

_NEVER = {"min-file-size-bytes": 0, "min-input-files": 2**31 - 1, "max-file-size-bytes": 2**62}
"""Options with which no file is rewritten because of its size."""


def merge_small_files(spark: SparkSession) -> str:
    """Merge the small files of every partition that has many."""
    runs = [
        _rewrite(
            spark,
            options={
                "min-file-size-bytes": small * _MEGABYTE,
                "max-file-size-bytes": 2**62,
                "max-file-group-size-bytes": _LARGE * _MEGABYTE,
                "target-file-size-bytes": _LARGE * _MEGABYTE,
                "min-input-files": _ENOUGH,
            },
        )
        for small in _SMALL
    ]
    return _described(*runs)


def sort_days_over(spark: SparkSession) -> str:
    """Rewrite completed days, sorted and with full-size files; a day again only if it gains many rows."""
    order = _registered_order(spark)
    size = F.col("file_size_in_bytes")
    unsorted = F.sum(F.when(F.col("sort_order_id").eqNullSafe(order), 0).otherwise(size))
    days = (
        spark.table(f"{EVENTS}.data_files")
        .groupBy(F.col("partition.received_at_day").alias("day"))
        .agg((unsorted / F.sum(size)).alias("unsorted"))
        .where(F.expr(f"day < to_date(now() - INTERVAL {_SETTLING}) AND unsorted > {_UNSORTED}"))
        .orderBy("day")
        .collect()
    )
    runs = [_sort(spark, f"TIMESTAMP '{row.day}'") for row in days]
    return f"{len(days)} days, {_described(*runs)}"


def _sort(spark: SparkSession, day: str) -> Any:  # noqa: ANN401 a Row
    whole_day = f"received_at >= {day} AND received_at < {day} + INTERVAL 1 DAY"
    how = f"strategy => 'sort', sort_order => '{', '.join(_ORDER)}', where => \"{whole_day}\""
    return _rewrite(spark, how, {"rewrite-all": "true"})


def apply_deletes(spark: SparkSession) -> str:
    """Rewrite the files that have rows marked as deleted, so that they no longer contain them."""
    marks = spark.table(f"{EVENTS}.delete_files").count()
    if not marks:
        return "no row is marked deleted"
    run = _rewrite(spark, options=_NEVER | {"delete-file-threshold": 1})
    # Drops the marks of rows that no longer exist. Iceberg's `remove-dangling-deletes` fails beside any other writer.
    spark.sql(
        f"CALL lake.system.rewrite_position_delete_files(table => '{EVENTS}', options => map('rewrite-all', 'true'))"
    )
    return f"{marks} files of marks, {_described(run)}"


def _rewrite(spark: SparkSession, how: str = "", options: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 a Row
    # With partial progress a conflict is counted instead of raised, and does not affect other partitions.
    chosen = {"partial-progress.enabled": "true", "partial-progress.max-commits": 1, **(options or {})}
    listed = ", ".join(f"'{name}', '{value}'" for name, value in chosen.items())
    return spark.sql(
        f"CALL lake.system.rewrite_data_files(table => '{EVENTS}', {how + ', ' if how else ''}options => map({listed}))"
    ).first()


def _described(*runs: Any) -> str:  # noqa: ANN401 Rows
    before, after, size, left = (
        sum(run[name] for run in runs)
        for name in (
            "rewritten_data_files_count",
            "added_data_files_count",
            "rewritten_bytes_count",
            "failed_data_files_count",
        )
    )
    text = f"{before} files became {after}, {size / _MEGABYTE:.1f} MB"
    return f"{text}; {left} files were changed meanwhile, left to the next run" if left else text


def _registered_order(spark: SparkSession) -> int:
    """Return the id of the sort order: the table defines it, for the metadata of sorted files, but no writer sorts."""
    jvm: Any = spark._jvm

    def table() -> Any:  # noqa: ANN401 Java's
        return jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, EVENTS)

    def found() -> list[int]:
        schema, orders = table().schema(), table().sortOrders().values()
        columns = {o.orderId(): tuple(schema.findColumnName(field.sourceId()) for field in o.fields()) for o in orders}
        return [number for number, names in columns.items() if names == _ORDER]

    if not found():
        spark.sql(f"ALTER TABLE {EVENTS} WRITE LOCALLY ORDERED BY {', '.join(_ORDER)}")
    if table().sortOrder().isSorted():
        spark.sql(f"ALTER TABLE {EVENTS} WRITE UNORDERED")
    return found()[0]
