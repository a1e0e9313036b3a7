"""The import of files into `events`: every line that is not blank becomes one row, however often it is imported.

A line's place in the table, a partition that no topic has and an offset, follows from the file's path and the line's
number. So the table itself says which lines it has, as it does for the topic. A commit adds some lines of some files.
"""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from game_events import ERASED, REJECTED
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import days, events_table, events_writer, history
from lake.commits import ConflictError
from lake.imports.files import PARTITION, FileError, found, groups
from lake.imports.lines import Lines, Part, place
from lake.progress import reported
from lake.session import lake_session
from lake.settings import EVENTS, Settings
from lake.transforms import to_events

_log = logging.getLogger(__name__)

_ATTEMPTS = 10
"""Commits of others that one commit gives way to."""
_ROWS_PER_TASK = 1_000_000
_SHOWN = 5
"""Rejected lines whose reasons are printed."""

_CHANGED = (
    f"{EVENTS} has another event for this line, so the file has changed since it was imported: lines may only be added "
    "at its end. Import what is new as a file of another name"
)

_BY_DAY = {
    # A task writes one file after the other, where the table's own setting would open one for each day at once.
    "fanout-enabled": "false",
    "use-table-distribution-and-ordering": "false",
}


@dataclass(frozen=True)
class Imported:
    """How many files were read, and their lines: added ones, of which some are rejected, and those already there."""

    files: int = 0
    added: int = 0
    rejected: int = 0
    present: int = 0

    def __add__(self, other: "Imported") -> "Imported":
        return Imported(
            self.files + other.files,
            self.added + other.added,
            self.rejected + other.rejected,
            self.present + other.present,
        )

    def __str__(self) -> str:
        return (
            f"{self.files} files, {self.added + self.present} lines: {self.added} added, {self.rejected} of them "
            f"rejected; {self.present} already there"
        )


@dataclass(frozen=True)
class Period:
    """When an imported event may have been received: not after the import's own time, and on a day that is kept."""

    now: datetime
    retention_days: int = 0

    def problems(self, received: Column) -> list[tuple[Column, str]]:
        """Return the conditions for a time that is outside, and what is wrong then."""
        found = [(received > F.lit(self.now), "received_at: is in the future")]
        if self.retention_days:
            first = days.first_kept(self.now.date(), self.retention_days)
            deleted = (
                f"received_at: is before {first}, and maintenance deletes these days (MAINTAIN_RETENTION_DAYS="
                f"{self.retention_days}): keep more days, or leave these events out"
            )
            found.append((received < F.lit(days.start(first)), deleted))
        return found


def import_files(settings: Settings, paths: Sequence[str], most: int, *, dry_run: bool = False) -> None:
    """Import files and folders of files, at most so many lines in a commit, and print what was done; raise FileError.

    A run that fails keeps its commits, and the next run goes on from there. A dry run only validates.
    """
    started = time.monotonic()
    spark = lake_session("batch-import", settings)
    if not dry_run:
        events_table.create(spark, settings)
    with reported(spark):
        done = imported(spark, Period(datetime.now(UTC), settings.retention_days), paths, most, dry_run=dry_run)
    print(f"{done} ({time.monotonic() - started:.1f} s{', nothing was written' if dry_run else ''})", flush=True)


def imported(
    spark: SparkSession, period: Period, paths: Sequence[str], most: int, *, dry_run: bool = False
) -> Imported:
    """Import files into the table, or only validate them."""
    files = found(spark, paths)
    if not files:
        raise FileError(f"{' '.join(paths)}: no files")
    done = Imported(len(files))
    for group in groups(files):
        lines = Lines(spark, group)
        for parts in lines.parts(most):
            # Decoded once, to be counted, compared and written.
            rows = to_events(lines.records(parts, period.now)).persist()
            try:
                one = _looked(rows, None, parts, period)[1] if dry_run else _add(spark, rows, parts, period)
            finally:
                rows.unpersist()
            done += one
            said = "would be added" if dry_run else "added"
            named = f"{parts[0]}{f' … {parts[-1]}' if len(parts) > 1 else ''}"
            print(f"{named}: {one.added} {said}, {one.rejected} of them rejected, {one.present} there", flush=True)
    return done


def _add(spark: SparkSession, rows: DataFrame, parts: Sequence[Part], period: Period) -> Imported:
    """Add the lines that are no rows yet, in one commit."""
    for attempt in range(1, _ATTEMPTS + 1):
        table = history.table(spark)
        current = table.currentSnapshot()
        snapshot = None if current is None else int(current.snapshotId())
        new, done = _looked(rows, _known(spark, snapshot, parts), parts, period)
        if not done.added:
            return done
        # Each task has few days, and has the rows of a day together.
        tasks = -(-done.added // _ROWS_PER_TASK)
        placed = new.repartitionByRange(tasks, "received_at") if tasks > 1 else new.coalesce(1)
        staged = events_writer.stage(placed.sortWithinPartitions("received_at"), table, _BY_DAY)
        try:
            staged.commit([one.offsets for one in parts], snapshot, {history.IMPORTED: json.dumps([*map(str, parts)])})
        except ConflictError as error:
            if attempt == _ATTEMPTS:
                raise
            _log.warning("another writer was faster: %s", error)
        else:
            return done
    raise AssertionError


def _known(spark: SparkSession, snapshot: int | None, parts: Sequence[Part]) -> DataFrame:
    """Return the lines of these that are rows in a snapshot."""
    columns = "kafka_offset AS known_offset, family AS known_family, event_id AS known_id, received_at AS known_time"
    ranges = [one.offsets for one in parts]
    inside = " OR ".join(f"kafka_offset >= {one.start} AND kafka_offset < {one.end}" for one in ranges)
    version = "" if snapshot is None else f"VERSION AS OF {snapshot}"
    return spark.sql(f"SELECT {columns} FROM {EVENTS} {version} WHERE kafka_partition = {PARTITION} AND ({inside})")


def _looked(
    rows: DataFrame, known: DataFrame | None, parts: Sequence[Part], period: Period
) -> tuple[DataFrame, Imported]:
    """Return the rows that the table does not have, and counts; print some rejected ones. Raises FileError.

    `known` are the lines that the table has.
    """
    columns = rows.columns
    if known is None:
        rows = rows.withColumn("known_offset", F.lit(None))
        problems = []
    else:
        rows = rows.join(known, rows.kafka_offset == known.known_offset, "left")
        # Erased and rejected rows have no event to compare.
        is_same = F.col("event_id").eqNullSafe(F.col("known_id")) & (F.col("received_at") == F.col("known_time"))
        problems = [(~F.col("known_family").isin(ERASED, REJECTED) & ~is_same, _CHANGED)]
    is_new, is_rejected = F.col("known_offset").isNull(), F.col("family") == REJECTED
    problems += [(is_new & ~is_rejected & outside, text) for outside, text in period.problems(F.col("received_at"))]
    [counts] = rows.select(
        F.count("*").alias("lines"),
        F.count_if(is_new).alias("added"),
        F.count_if(is_new & is_rejected).alias("rejected"),
        F.array(*(F.min(F.when(is_wrong, F.col("kafka_offset"))) for is_wrong, _ in problems)).alias("wrong"),
    ).collect()
    for offset, (_, text) in zip(counts.wrong, problems, strict=True):
        if offset is not None:
            raise FileError(f"{place(parts, offset)}: {text}")
    if counts.rejected:
        for row in rows.where(is_new & is_rejected).select("kafka_offset", "error").limit(_SHOWN).collect():
            print(f"{place(parts, row.kafka_offset)}: rejected: {row.error}", flush=True)
    new = rows.where(is_new).select(*columns)
    return new, Imported(added=counts.added, rejected=counts.rejected, present=counts.lines - counts.added)
