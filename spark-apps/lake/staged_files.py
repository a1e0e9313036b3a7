"""Files that Spark has written and no commit contains yet, which then replace others in one commit.

Iceberg's own rewrites stage files in this way, but cannot change a column.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from lake import commits
from lake.java_class import Java, java_class
from lake.table_cache import table_cache


class RowsError(PySparkException):
    """Files would be replaced by others that do not have the same rows."""


class StagedFiles:
    """Some files of a table, and those that are to replace them."""

    def __init__(self, spark: SparkSession, table: Java, tasks: Sequence[Java]) -> None:
        self._spark, self._table = spark, table
        self._replaced = [task.file() for task in tasks]
        self._marks = {mark.location(): mark for task in tasks for mark in task.deletes()}
        self.new: list[Java] = []
        """The files that have been written."""
        self._group = str(uuid.uuid4())
        self._tables = table_cache(spark)
        self._read = java_class(spark, "org.apache.iceberg.spark.ScanTaskSetManager").get()
        self._written = java_class(spark, "org.apache.iceberg.spark.FileRewriteCoordinator").get()

    def stage(self, tasks: Sequence[Java], properties: Mapping[str, str]) -> None:
        listed = java_class(self._spark, "java.util.ArrayList")(len(tasks))
        for task in tasks:
            listed.add(task)
        self._tables.add(self._group, _with_properties(self._table, properties))
        self._read.stageTasks(self._table, self._group, listed)

    def clear(self) -> None:
        self._tables.remove(self._group)
        self._read.removeTasks(self._table, self._group)
        self._written.clearRewrite(self._table, self._group)

    def rows(self) -> DataFrame:
        """Return the rows of the files to be replaced, without those that are marked as deleted."""
        return self._spark.read.format("iceberg").load(self._group)

    def write(self, rows: DataFrame, options: Mapping[str, str]) -> None:
        """Write the files that are to replace them. May be called once."""
        rows.write.format("iceberg").options(**options).mode("append").save(self._group)
        self.new.extend(self._written.fetchNewFiles(self._table, self._group))

    def replace(self, snapshot: int, summary: Mapping[str, str]) -> int:
        """Commit the replacement, which says this in its summary, and return the number of new files.

        Raises RefusedError if one of the files was replaced since that snapshot, or a row of it deleted, and RowsError
        if the new files have fewer rows or more.
        """
        fewer = _rows(self._replaced) - _rows(self.new)
        if not 0 <= fewer <= _rows(self._marks.values()):
            commits.delete(self._table, self.new)
            raise RowsError(f"nothing was replaced: the new files would have {-fewer:+d} rows")
        rewrite = commits.saying(self._table.newRewrite().validateFromSnapshot(snapshot), summary)
        for file in self._replaced:
            rewrite.deleteFile(file)
        for file in self.new:
            rewrite.addFile(file)
        commits.commit(rewrite, self._table, self.new)
        return len(self.new)


@contextmanager
def staged(
    spark: SparkSession, table: Java, tasks: Sequence[Java], properties: Mapping[str, str]
) -> Iterator[StagedFiles]:
    """Stage files of a table to be replaced; `tasks` are Iceberg's FileScanTasks, without residuals.

    The new files are written with these properties of the table, which it does not have itself.
    """
    files = StagedFiles(spark, table, tasks)
    try:
        files.stage(tasks, properties)
        yield files
    finally:
        files.clear()


def _rows(files: Iterable[Java]) -> int:
    """Return how many rows files have, or how many rows they mark as deleted."""
    return sum(int(file.recordCount()) for file in files)


def _with_properties(table: Java, properties: Mapping[str, str]) -> Java:
    # This transaction is never committed.
    transaction = table.newTransaction()
    update = transaction.updateProperties()
    for name, value in properties.items():
        update.set(name, value)
    update.commit()
    return transaction.table()
