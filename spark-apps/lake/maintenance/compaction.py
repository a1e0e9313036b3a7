"""Compaction: small files become larger ones. The rows stay the same.

A replaced file is kept until the snapshots that refer to it expire, so readers are not affected. Appends do not
conflict; files that another writer changes meanwhile are left to the next run.
"""

from typing import Any

from pyspark.sql import SparkSession

from lake.settings import EVENTS

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
