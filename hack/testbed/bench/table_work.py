"""What is done with the table `events` again and again, and the bytes that it reads and writes."""

from datetime import date

from lake import days, history
from lake.java_class import java_class
from lake.java_iterable import each
from lake.maintenance import compaction, manifests, settling
from lake.maintenance.memory import TableMemory
from pyspark.sql import SparkSession


def maintain(spark: SparkSession) -> None:
    """Do what a new process of maintenance does in each run, beside what has a time of its own."""
    memory = TableMemory(spark)
    memory.recall()
    compaction.merge_small_files(spark, memory)
    compaction.apply_deletes(spark)
    settling.settle(spark, memory)
    manifests.merge(spark)
    memory.save()


def plan(spark: SparkSession, day: date) -> tuple[int, int]:
    """Plan a query on a day; return how many files it has, and how many manifests were opened to find them."""
    reporter = java_class(spark, "org.apache.iceberg.metrics.InMemoryMetricsReporter")()
    scan = history.table(spark).newScan().metricsReporter(reporter)
    found = scan.filter(days.expression(spark, days.ranges([day]))).planFiles()
    files = sum(1 for _ in each(found))
    return files, int(reporter.scanReport().scanMetrics().scannedDataManifests().value())


def transferred(spark: SparkSession) -> tuple[int, int]:
    """Return how many bytes this process has read from files and written to them."""
    found = list(java_class(spark, "org.apache.hadoop.fs.FileSystem").getAllStatistics())
    return sum(one.getBytesRead() for one in found), sum(one.getBytesWritten() for one in found)
