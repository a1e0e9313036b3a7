"""Settling: once a day is over, each of its rows is decided by the once rule, and its files are written for readers."""

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from game_events.once import repeats
from game_events.rollups import SETTLED
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import days, history
from lake.commits import RefusedError
from lake.expressions import all_of, expressions
from lake.java_iterable import each
from lake.maintenance import changes
from lake.maintenance.memory import Memory
from lake.settings import EVENTS
from lake.staged_files import Java, staged

DAYS_OVER = "days that are over"
"""The step's name."""

_SETTLING = timedelta(hours=1)
"""After its end, a day still gets rows: those that were in Kafka by then."""

_PATIENCE = 900
"""Seconds after which no further day is begun, so that the other steps run."""

_MEGABYTE = 1 << 20
_FILE = 256
"""Megabytes that one task sorts and writes."""

# The files of a larger day have separate players, whose rows are together within each event type: the bounds of files
# and pages exclude all other players.
_PLACEMENT = ("kafka_partition", "player")
_ORDER = ("kafka_partition", "family", "event_type", "player", "received_at")

_MOST_REPEATS = 1_000_000
"""Places that every task may hold in memory."""

_OPTIONS = {
    "target-file-size-bytes": str(2 * _FILE * _MEGABYTE),
    "use-table-distribution-and-ordering": "false",
}


def settle_days_over(spark: SparkSession, memory: Memory) -> str:
    """Settle every day that is over, and rows that came later; each day is one commit that changes only `counts`.

    Only files with undecided rows are read and replaced. Rows that were decided before stay decided. Days that were
    looked at before are looked at again if they got files since. After a while the rest is left to the next run.
    """
    started = time.monotonic()
    over = (datetime.now(UTC) - _SETTLING).date()
    mark, _, text = memory.seen(DAYS_OVER).partition(" ")
    changed = changes.since(spark, history.table(spark), mark)
    first = date.fromisoformat(text) if text and changed.days is not None else days.EPOCH
    within = days.ranges(day for day in changed.days or () if day < min(first, over))
    within += [(first, over)] if first < over else []
    found = sorted({days.of(task.file()) for task in _Undecided(spark, within).tasks}) if within else []
    before = after = 0
    left: list[date] = []
    conflicts = 0
    for number, day in enumerate(found):
        if time.monotonic() > started + _PATIENCE:
            left += found[number:]
            break
        # Planned again, as earlier days may have taken hours.
        undecided = _Undecided(spark, [(day, day + days.ONE)])
        try:
            after += _settle(spark, day, undecided) if undecided.tasks else 0
        except RefusedError:
            left.append(day)
            conflicts += 1
        else:
            before += len(undecided.tasks)
    if history.table(spark).schema().findField("counts") is not None:
        memory.note_seen(DAYS_OVER, f"{changed.mark} {min([*left, over])}")
    said = f"{len(found)} days, {before} files became {after}"
    said += f"; {conflicts} days were changed meanwhile, left to the next run" if conflicts else ""
    late = len(left) - conflicts
    return f"{said}; {late} days are left to the next run, after the other steps" if late else said


class _Undecided:
    """The files of some days that can have undecided rows: Iceberg counts the NULLs of each file in its metadata."""

    def __init__(self, spark: SparkSession, within: Sequence[days.Range]) -> None:
        self.table = history.table(spark)
        self.tasks: list[Java] = []
        self.snapshot = 0
        if self.table.currentSnapshot() is None or self.table.schema().findField("counts") is None:
            return
        self.snapshot = self.table.currentSnapshot().snapshotId()
        wanted = all_of(spark, days.expression(spark, within), expressions(spark).isNull("counts"))
        # The residual would hide a file's decided rows from the reader.
        found = self.table.newScan().useSnapshot(self.snapshot).filter(wanted).ignoreResiduals().planFiles()
        self.tasks.extend(each(found))


def _settle(spark: SparkSession, day: date, found: _Undecided) -> int:
    size = sum(task.file().fileSizeInBytes() for task in found.tasks)
    records = sum(task.file().recordCount() for task in found.tasks)
    count = max(1, -(-size // (_FILE * _MEGABYTE)))
    places = _repeats(spark, found.snapshot, day).cache()
    try:
        is_broadcast = places.count() <= _MOST_REPEATS
        with staged(spark, found.table, found.tasks, _blooms(records // count)) as files:
            rows = _decided(files.rows(), F.broadcast(places) if is_broadcast else places)
            placed = rows.repartitionByRange(count, *_PLACEMENT) if count > 1 else rows.coalesce(1)
            files.write(placed.sortWithinPartitions(*_ORDER), _OPTIONS)
            return files.replace(found.snapshot, {SETTLED: str(day)})
    finally:
        places.unpersist()


def _decided(rows: DataFrame, places: DataFrame) -> DataFrame:
    is_repeat = (rows.kafka_partition == places.repeat_partition) & (rows.kafka_offset == places.repeat_offset)
    counts = F.coalesce("counts", F.isnull("repeat_offset")).alias("counts")
    return rows.join(places, is_repeat, "left").select(*(counts if n == "counts" else n for n in rows.columns))


def _repeats(spark: SparkSession, snapshot: int, day: date) -> DataFrame:
    spark.sql(f"SELECT * FROM {EVENTS} VERSION AS OF {snapshot}").createOrReplaceTempView("around")
    return spark.sql(repeats("around", day)).toDF("repeat_partition", "repeat_offset")


def _blooms(rows: int) -> dict[str, str]:
    """Return the properties for Bloom filters of files with so many rows: without a number, each takes a megabyte."""
    number = str(max(rows, 1))
    return {
        name: value
        for column in ("player", "event_id")
        for name, value in (
            (f"write.parquet.bloom-filter-enabled.column.{column}", "true"),
            (f"write.parquet.bloom-filter-ndv.column.{column}", number),
        )
    }
