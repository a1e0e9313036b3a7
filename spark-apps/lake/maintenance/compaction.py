"""Compaction: small files of undecided rows become larger ones. The rows stay the same. Settling merges decided ones.

A replaced file is kept until the snapshots that refer to it expire, so readers are not affected. Appends do not
conflict; files that another writer changes meanwhile are left to the next run.
"""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession

from lake import days, history
from lake.expressions import all_of, expressions
from lake.java_class import java_class
from lake.maintenance import changes
from lake.maintenance.memory import Memory
from lake.settings import EVENTS

SMALL_FILES = "small files"
"""The step's name."""

_MEGABYTE = 1 << 20
_SMALL = (1, 16, 96)
"""Megabytes. Smaller files of a partition are merged once there are enough of them, tier by tier, so that a row is
rewritten only a few times, and not by every run."""
_ENOUGH = 4
_LARGE = 512
"""The most megabytes that are merged at once, into one file: more would become two files, which every run would merge
again."""

_NEVER = {"min-file-size-bytes": 0, "min-input-files": 2**31 - 1, "max-file-size-bytes": 2**62}
"""Options with which no file is rewritten because of its size."""


def merge_small_files(spark: SparkSession, memory: Memory) -> str:
    """Merge the small files of every partition that has many, of the days that got files since the last run."""
    changed = changes.since(spark, history.table(spark), memory.seen(SMALL_FILES))
    if changed.days is not None and not changed.days:
        memory.note_seen(SMALL_FILES, changed.mark)
        return "no day has new files"
    # Decided rows would no longer be sorted, nor have Bloom filters.
    wanted = [expressions(spark).isNull("counts")] if history.table(spark).schema().findField("counts") else []
    wanted += [] if changed.days is None else [days.expression(spark, days.ranges(changed.days))]
    runs = [
        _rewrite(
            spark,
            {
                "min-file-size-bytes": small * _MEGABYTE,
                "max-file-size-bytes": 2**62,
                "max-file-group-size-bytes": _LARGE * _MEGABYTE,
                "target-file-size-bytes": _LARGE * _MEGABYTE,
                "min-input-files": _ENOUGH,
            },
            all_of(spark, *wanted) if wanted else None,
        )
        for small in _SMALL
    ]
    if not any(run.failedDataFilesCount() for run in runs):
        memory.note_seen(SMALL_FILES, changed.mark)
    return f"{'all' if changed.days is None else len(changed.days)} days, {_described(*runs)}"


def apply_deletes(spark: SparkSession) -> str:
    """Rewrite the files that have rows marked as deleted, so that they no longer contain them."""
    current = history.table(spark).currentSnapshot()
    if current is None or current.summary().get("total-delete-files") == "0":
        return "no row is marked deleted"
    marks = spark.table(f"{EVENTS}.delete_files")
    marked = [row.day for row in marks.selectExpr("partition.received_at_day AS day").collect()]
    if not marked:
        return "no row is marked deleted"
    run = _rewrite(spark, _NEVER | {"delete-file-threshold": 1}, days.expression(spark, days.ranges(marked)))
    # Drops the marks of rows that no longer exist. Iceberg's `remove-dangling-deletes` fails beside any other writer.
    actions = java_class(spark, "org.apache.iceberg.spark.actions.SparkActions").get(spark._jsparkSession)
    actions.rewritePositionDeletes(history.table(spark)).option("rewrite-all", "true").execute()
    return f"{len(marked)} files of marks, {_described(run)}"


def _rewrite(spark: SparkSession, options: Mapping[str, int], wanted: Any | None) -> Any:  # noqa: ANN401 Java's
    """Rewrite files that may have rows for which Iceberg's filter holds, by default all; return the action's result."""
    actions = java_class(spark, "org.apache.iceberg.spark.actions.SparkActions").get(spark._jsparkSession)
    rewrite = actions.rewriteDataFiles(history.table(spark))
    # With partial progress a conflict is counted instead of raised, and does not affect other partitions.
    for name, value in {"partial-progress.enabled": "true", "partial-progress.max-commits": 1, **options}.items():
        rewrite = rewrite.option(name, str(value))
    return (rewrite if wanted is None else rewrite.filter(wanted)).execute()


def _described(*runs: Any) -> str:  # noqa: ANN401 Java's
    before, after, size, left = (
        sum(getattr(run, name)() for run in runs)
        for name in ("rewrittenDataFilesCount", "addedDataFilesCount", "rewrittenBytesCount", "failedDataFilesCount")
    )
    text = f"{before} files became {after}, {size / _MEGABYTE:.1f} MB"
    return f"{text}; {left} files were changed meanwhile, left to the next run" if left else text
