"""Reports of the progress of Spark's work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

_PAUSE = 10
"""Seconds."""


@contextmanager
def reported(spark: SparkSession) -> Iterator[None]:
    """Print the progress of Spark's running stages periodically, until the block ends."""
    ended = threading.Event()

    def report() -> None:
        tracker = spark.sparkContext.statusTracker()
        while not ended.wait(_PAUSE):
            stages = [stage for number in tracker.getActiveStageIds() if (stage := tracker.getStageInfo(number))]
            tasks, done = sum(stage.numTasks for stage in stages), sum(stage.numCompletedTasks for stage in stages)
            print(f"working: {done} of {tasks} tasks of this step", flush=True)

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join()
