"""Settling: once an hour is over, each of its rows is decided by the once rule, and its files are written for readers.

Once a day is over, the files of its hours are merged, where they are small.
"""

import logging
import time
from datetime import UTC, date, datetime, timedelta

from game_events.once import repeats
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import days, history
from lake.commits import RefusedError
from lake.java_class import Java
from lake.maintenance import changes
from lake.maintenance.memory import Memory
from lake.maintenance.unsettled import Unsettled, undecided_days
from lake.settings import EVENTS
from lake.staged_files import staged
from lake.termination import root_cause

_log = logging.getLogger(__name__)

HOURS_OVER = "hours that are over"
"""The step's name."""

_SETTLING = timedelta(hours=1)
"""After its end, an hour still gets rows: those that were in Kafka by then."""

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


def settle(spark: SparkSession, memory: Memory, now: datetime | None = None) -> str:
    """Settle the hours that are over, and rows that came later; each day is one commit that changes only `counts`.

    Only files with undecided rows are read and replaced, and small ones of days that are over. Rows that were decided
    before stay decided. Days that were looked at before are looked at again if they got files since; the current one,
    if another hour is over. It comes first. After a while the days that are left are left to the next run. So is a day
    that fails; when the others are settled, its error is raised.
    """
    started = time.monotonic()
    until = ((now or datetime.now(UTC)) - _SETTLING).replace(minute=0, second=0, microsecond=0)
    over = until.date()
    mark, _, text = memory.seen(HOURS_OVER).partition(" ")
    if text and datetime.fromisoformat(text) > until:
        # Of another clock: until this one is as late, nothing would be found.
        mark = text = ""
    changed = changes.since(spark, history.table(spark), mark)
    found = undecided_days(spark, over) if changed.days is None else {day for day in changed.days if day < over}
    if text:
        first = datetime.fromisoformat(text).date()
        found |= {first + number * days.ONE for number in range((over - first).days)}
    if changed.days is None or not text or datetime.fromisoformat(text) < until:
        found.add(over)
    looked = before = after = conflicts = 0
    left: list[date] = []
    failure: PySparkException | Py4JJavaError | None = None
    for day in sorted(found, key=lambda day: (day < over, day)):
        if day < over and time.monotonic() > started + _PATIENCE:
            left.append(day)
            continue
        try:
            # Planned one by one, as earlier days may have taken hours.
            chosen = Unsettled(spark, day, min(until, days.start(day + days.ONE)))
            if not chosen.tasks:
                continue
            looked += 1
            after += _replace(spark, chosen)
        except RefusedError:
            left.append(day)
            conflicts += 1
        except (PySparkException, Py4JJavaError) as error:
            _log.error("%s: failed: %s", day, root_cause(error))
            left.append(day)
            failure = failure or error
        else:
            before += len(chosen.tasks)
    if (table := history.table(spark)).schema().findField("counts") is not None:
        mark = changes.until_now(changed.mark, table) if before else changed.mark
        memory.note_seen(HOURS_OVER, f"{mark} {min([*map(days.start, left), until]).isoformat()}")
    if failure:
        raise failure
    late = len(left) - conflicts
    said = f"{looked + late} days, {before} files became {after}"
    said += f"; {conflicts} days were changed meanwhile, left to the next run" if conflicts else ""
    return f"{said}; {late} days are left to the next run, after the other steps" if late else said


def _replace(spark: SparkSession, chosen: Unsettled) -> int:
    size = sum(task.file().fileSizeInBytes() for task in chosen.tasks)
    records = sum(task.file().recordCount() for task in chosen.tasks)
    count = max(1, -(-size // (_FILE * _MEGABYTE)))
    places = _repeats(spark, chosen).cache()
    try:
        is_broadcast = places.count() <= _MOST_REPEATS
        with staged(spark, chosen.table, chosen.tasks, _blooms(records // count)) as files:
            over = files.rows().where(F.col("received_at") < F.lit(chosen.end))
            rows = _decided(over, F.broadcast(places) if is_broadcast else places)
            placed = rows.repartitionByRange(count, *_PLACEMENT) if count > 1 else rows.coalesce(1)
            files.write(placed.sortWithinPartitions(*_ORDER), _OPTIONS)
            files.new += _unfinished(spark, chosen)
            return files.replace(chosen.snapshot, chosen.summary)
    finally:
        places.unpersist()


def _unfinished(spark: SparkSession, chosen: Unsettled) -> list[Java]:
    """Write the rows that are not over, which stay undecided, into files of their own; return these."""
    if not chosen.unfinished:
        return []
    with staged(spark, chosen.table, chosen.unfinished, {}) as files:
        files.write(files.rows().where(F.col("received_at") >= F.lit(chosen.end)), _OPTIONS)
        return files.new


def _decided(rows: DataFrame, places: DataFrame) -> DataFrame:
    is_repeat = (rows.kafka_partition == places.repeat_partition) & (rows.kafka_offset == places.repeat_offset)
    counts = F.coalesce("counts", F.isnull("repeat_offset")).alias("counts")
    return rows.join(places, is_repeat, "left").select(*(counts if n == "counts" else n for n in rows.columns))


def _repeats(spark: SparkSession, chosen: Unsettled) -> DataFrame:
    """Return the places of the rows that do not count."""
    spark.sql(f"SELECT * FROM {EVENTS} VERSION AS OF {chosen.snapshot}").createOrReplaceTempView("around")
    undecided = f"counts IS NULL AND received_at < TIMESTAMP '{chosen.end:%Y-%m-%d %H:%M:%S}'"
    [first] = spark.sql(
        f"SELECT unix_seconds(min(received_at)) AS second FROM around WHERE {undecided} "
        f"AND received_at >= TIMESTAMP '{chosen.start:%Y-%m-%d %H:%M:%S}'"
    ).collect()
    if first.second is None:
        return spark.createDataFrame([], "repeat_partition INT, repeat_offset BIGINT")
    # Late rows are few. Without them, only the last hours and the day before them are read.
    since = datetime.fromtimestamp(first.second, UTC)
    return spark.sql(repeats("around", since, chosen.end)).toDF("repeat_partition", "repeat_offset")


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
