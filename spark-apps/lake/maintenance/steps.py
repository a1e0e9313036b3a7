"""The steps of maintenance, each of which is one Iceberg commit, or several independent ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from lake import days, rollups
from lake.maintenance import compaction, manifests, settling, snapshots
from lake.maintenance.memory import Memory
from lake.settings import EVENTS, ROLLUPS, Settings


@dataclass(frozen=True)
class Step:
    """`do` describes what it did; `pause` is the number of seconds after which periodic maintenance repeats it.

    Of the steps of a run, those named in `after` come before it. Otherwise the order is that of the runs before.
    """

    name: str
    do: Callable[[], str]
    pause: float = 0
    after: tuple[str, ...] = ()


def steps(spark: SparkSession, settings: Settings, memory: Memory) -> list[Step]:
    def ago(**age: float) -> datetime:
        return datetime.now(UTC) - timedelta(**age)

    return [
        Step(compaction.SMALL_FILES, lambda: compaction.merge_small_files(spark, memory)),
        Step("deleted rows", lambda: compaction.apply_deletes(spark)),
        Step(settling.HOURS_OVER, lambda: settling.settle(spark, memory)),
        Step("rollups", lambda: rollups.roll_up(spark), after=(settling.HOURS_OVER,)),
        Step("manifests", lambda: manifests.merge(spark)),
        # The summaries of snapshots say which days are added up again. Expiry reads all manifests of the snapshots that
        # stay: those that are thinned out need not be read.
        Step("appends", lambda: snapshots.thin_out(spark, ago(hours=1)), pause=900, after=("rollups",)),
        Step(
            "snapshots",
            lambda: _expire(spark, ago(hours=settings.snapshot_hours)),
            pause=3_600,
            after=("rollups", "appends"),
        ),
        Step("orphans", lambda: _remove_orphans(spark, ago(hours=settings.orphan_hours)), pause=86_400),
        Step("retention", lambda: _delete_days(spark, settings.retention_days), pause=3_600),
    ]


def _expire(spark: SparkSession, older_than: datetime) -> str:
    return f"{snapshots.expire(spark, older_than)}; of rollups: {rollups.expire(spark, older_than)}"


def _remove_orphans(spark: SparkSession, older_than: datetime) -> str:
    tables = (EVENTS, ROLLUPS) if spark.catalog.tableExists(ROLLUPS) else (EVENTS,)
    return "; ".join(f"{name}: {snapshots.remove_orphans(spark, older_than, name)}" for name in tables)


def _delete_days(spark: SparkSession, kept: int) -> str:
    if not kept:
        return "all days are kept"
    first = days.first_kept(datetime.now(UTC).date(), kept)
    listed = spark.table(f"{EVENTS}.partitions").where(f"partition.received_at_day < DATE '{first}'")
    found = listed.selectExpr("count(DISTINCT partition.received_at_day)", "coalesce(sum(record_count), 0)").first()
    count, rows = found or (0, 0)
    if count:
        # Whole days are whole partitions, so no file is read or rewritten.
        spark.sql(f"DELETE FROM {EVENTS} WHERE received_at < TIMESTAMP '{first}'")
    return f"{count} days before {first} deleted, {rows} rows"
