"""The steps of maintenance, each of which is one Iceberg commit, or several independent ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from lake import rollups
from lake.maintenance import compaction, settling, snapshots
from lake.settings import EVENTS, ROLLUPS, Settings

_MANIFESTS = 30
"""More manifests than this are merged."""


@dataclass(frozen=True)
class Step:
    """`do` describes what it did; `pause` is the number of seconds after which periodic maintenance repeats it."""

    name: str
    do: Callable[[], str]
    pause: float = 0


def steps(spark: SparkSession, settings: Settings) -> list[Step]:
    def ago(**age: float) -> datetime:
        return datetime.now(UTC) - timedelta(**age)

    return [
        Step("small files", lambda: compaction.merge_small_files(spark)),
        Step("deleted rows", lambda: compaction.apply_deletes(spark)),
        Step("days that are over", lambda: settling.settle_days_over(spark)),
        # Before snapshots expire: their summaries say which days it has to add up again.
        Step("rollups", lambda: rollups.roll_up(spark)),
        Step("manifests", lambda: snapshots.rewrite_manifests(spark, _MANIFESTS)),
        Step("snapshots", lambda: _expire(spark, ago(hours=settings.snapshot_hours)), pause=900),
        Step("appends", lambda: snapshots.thin_out(spark, ago(hours=1)), pause=900),
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
    first = datetime.now(UTC).date() - timedelta(days=kept)
    days = spark.table(f"{EVENTS}.partitions").where(f"partition.received_at_day < DATE '{first}'")
    found = days.selectExpr("count(DISTINCT partition.received_at_day)", "coalesce(sum(record_count), 0)").first()
    count, rows = found or (0, 0)
    if count:
        # Whole days are whole partitions, so no file is read or rewritten.
        spark.sql(f"DELETE FROM {EVENTS} WHERE received_at < TIMESTAMP '{first}'")
    return f"{count} days before {first} deleted, {rows} rows"
