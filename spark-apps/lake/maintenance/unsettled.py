"""The files that settling replaces: those with undecided rows of what is over, and small ones of days that are over."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from game_events.rollups import SETTLED, UNDECIDED_BEFORE
from pyspark.sql import SparkSession

from lake import days, history
from lake.expressions import all_of, between, expressions
from lake.java_class import Java
from lake.java_iterable import each

_SMALL = 96 << 20
"""Bytes. Smaller files of a day that is over are merged …"""
_ENOUGH = 4
"""… if a partition of the topic has so many."""


def undecided_days(spark: SparkSession, over: date) -> set[date]:
    """Return the days before one that have undecided rows: Iceberg counts the NULLs of each file in its metadata."""
    table = history.table(spark)
    if table.currentSnapshot() is None or table.schema().findField("counts") is None:
        return set()
    is_before = expressions(spark).lessThan("received_at", days.start(over).isoformat())
    scan = table.newScan().filter(all_of(spark, is_before, expressions(spark).isNull("counts")))
    return {days.of(task.file()) for task in each(scan.planFiles())}


class Unsettled:
    """The files of a day that are to be replaced as far as it is over, until `end`: those with rows to be decided.

    When it is over, so are small ones.
    """

    def __init__(self, spark: SparkSession, day: date, end: datetime) -> None:
        self._spark = spark
        self.day, self.start, self.end = day, days.start(day), end
        self.table = history.table(spark)
        self.snapshot = 0
        self.tasks: list[Java] = []
        self.unfinished: list[Java] = []
        """Those of the files that also have rows from `end` on."""
        self.summary: dict[str, str] = {}
        """What the commit says."""
        counts = self.table.schema().findField("counts")
        if self.table.currentSnapshot() is None or counts is None:
            return
        self.snapshot = self.table.currentSnapshot().snapshotId()
        decided: list[Java] = []
        is_undecided = True
        for task in self._plan(self.start, end) if self.start < end else ():
            nulls = task.file().nullValueCounts()
            undecided = None if nulls is None else nulls.get(counts.fieldId())
            (decided if undecided == 0 else self.tasks).append(task)
            is_undecided = is_undecided and undecided in (0, task.file().recordCount())
        if self.tasks:
            self.summary[SETTLED] = str(day)
        next_day = days.start(day + days.ONE)
        if end == next_day:
            merged = _mergeable(decided)
            self.tasks += merged
            is_undecided = is_undecided and not merged
        elif self.tasks:
            later = {task.file().location() for task in self._plan(end, next_day)}
            self.unfinished = [task for task in self.tasks if task.file().location() in later]
        if self.summary and is_undecided:
            self.summary[UNDECIDED_BEFORE] = "true"

    def _plan(self, since: datetime, until: datetime) -> list[Java]:
        wanted = between(self._spark, "received_at", since.isoformat(), until.isoformat())
        # The residual would hide a file's other rows from the reader.
        scan = self.table.newScan().useSnapshot(self.snapshot).filter(wanted).ignoreResiduals()
        return list(each(scan.includeColumnStats().planFiles()))


def _mergeable(decided: Sequence[Java]) -> list[Java]:
    """Return the small files that are merged: of each partition the smallest ones, if there are enough.

    The largest one is at most as large as the others together. So a row is rewritten only a few times.
    """
    small = defaultdict(list)
    for task in decided:
        size = task.file().fileSizeInBytes()
        if size < _SMALL:
            small[task.file().partition().get(1)].append((size, task))
    found: list[Java] = []
    for few in small.values():
        few.sort(key=lambda one: one[0])
        sizes = [size for size, _ in few]
        fits = (count for count in range(_ENOUGH, len(few) + 1) if sizes[count - 1] <= sum(sizes[: count - 1]))
        found += [task for _, task in few[: max(fits, default=0)]]
    return found
