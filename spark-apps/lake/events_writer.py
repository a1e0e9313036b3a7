"""The only writer of new rows of the table `events`: plain appends that say which offsets they cover.

Spark writes the files and leaves the commit to this module, as it does for Iceberg's own compaction: an append that
Spark commits is not checked for conflicts, and an overwrite, which is, cannot be read incrementally.
"""

import uuid
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lake import commits, history
from lake.expressions import all_of, any_of, between, expressions
from lake.history import State
from lake.java_class import java_class
from lake.offsets import OffsetRange
from lake.table_cache import table_cache


class StagedFiles:
    """Data files that belong to no snapshot yet."""

    def __init__(self, spark: SparkSession, table: Any, files: Sequence[Any]) -> None:  # noqa: ANN401 Java's
        self._spark = spark
        self._table = table
        self._files = files

    def commit(self, ranges: Sequence[OffsetRange], known: int | None, summary: Mapping[str, str]) -> None:
        """Append the files, unless another writer has added rows of these ranges since the snapshot `known`.

        Raises ConflictError.
        """
        if not self._files:
            append(self._table, summary)
            return
        commit = reduce(lambda one, file: one.addFile(file), self._files, self._table.newOverwrite())
        if known is not None:
            commit = commit.validateFromSnapshot(known)
        # It overwrites nothing, and is an append by name, too; but only an overwrite can be checked for conflicts.
        commit = commit.conflictDetectionFilter(_filter(self._spark, ranges)).validateNoConflictingData()
        commits.commit(commits.saying(commit, summary), self._table, self._files)

    def delete(self) -> None:
        """Delete the files, which must not be committed; what is left is deleted as an orphan."""
        commits.delete(self._table, self._files)


def stage(rows: DataFrame, table: Any, options: Mapping[str, str] | None = None) -> StagedFiles:  # noqa: ANN401 Java's
    """Write the rows as files of the table, with these options of Iceberg's writer."""
    spark = rows.sparkSession
    cache = table_cache(spark)
    coordinator = java_class(spark, "org.apache.iceberg.spark.FileRewriteCoordinator").get()
    # Under a name in this cache, Spark finds the table with a writer that commits nothing.
    name = f"events-{uuid.uuid4()}"
    cache.add(name, table)
    try:
        rows.write.format("iceberg").options(**options or {}).mode("append").save(name)
        return StagedFiles(spark, table, list(coordinator.fetchNewFiles(table, name)))
    finally:
        cache.remove(name)
        coordinator.clearRewrite(table, name)


def append(table: Any, summary: Mapping[str, str]) -> None:  # noqa: ANN401 Java's
    """Add a snapshot without rows that says this in its summary; raise ConflictError."""
    commits.commit(commits.saying(table.newAppend(), summary), table)


def carry(spark: SparkSession) -> tuple[Any, State]:
    """Make the current snapshot's own summary say all that the history says; return the table and what it says.

    Then all older snapshots may expire. A table that says nothing needs none of them.
    """
    while True:
        table = history.table(spark)
        state = history.state(table)
        topic_id = state.topic_id
        if state.is_carried or topic_id is None:
            return table, state
        if not state.is_whole:
            state = history.with_rows(spark, state)
        append(table, state.summary(topic_id))


def _filter(spark: SparkSession, ranges: Sequence[OffsetRange]) -> Any:  # noqa: ANN401 Java's
    return any_of(
        spark,
        (
            all_of(
                spark,
                expressions(spark).equal("kafka_partition", one.partition),
                between(spark, "kafka_offset", one.start, one.end),
            )
            for one in ranges
        ),
    )
