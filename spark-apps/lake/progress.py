"""A line now and then, while Spark is at work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

_PAUSE = 10
"""Seconds."""


@contextmanager
def reported(spark: SparkSession) -> Iterator[None]:
    """Print, as long as the block takes, what Spark's running stages have done."""
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
