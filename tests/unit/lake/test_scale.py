"""What a commit, a query on a day and maintenance read and write does not grow with the table's history."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lake import history
from lake.settings import EVENTS
from pyspark.sql import SparkSession
from testbed.bench import long_table, table_work

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
FILES = 96
"""Of a day. A year has more, and larger manifests; the ratio is about the same."""
MANIFEST = 32 << 10


@dataclass(frozen=True)
class Cost:
    """Bytes of all files that are read and written, data included."""

    read: int
    written: int


@dataclass(frozen=True)
class Costs:
    commit: Cost
    maintenance: Cost
    plan: Cost
    files: int
    manifests: int
    """That the plan of a query on yesterday opens."""
    replaced: int
    """Manifests that maintenance replaces."""


def cost(spark: SparkSession, do: Callable[[], object]) -> Cost:
    before = table_work.transferred(spark)
    do()
    read, written = (after - one for one, after in zip(before, table_work.transferred(spark), strict=True))
    return Cost(read, written)


def measure(spark: SparkSession) -> Costs:
    # One batch only: with a few, compaction rewrites their files.
    committed = cost(spark, long_table.stage(spark))
    before = {one.path() for one in listed(spark)}
    maintained = cost(spark, lambda: table_work.maintain(spark))
    gone = len(before - {one.path() for one in listed(spark)})
    found = table_work.plan(spark, YESTERDAY)
    return Costs(committed, maintained, cost(spark, lambda: table_work.plan(spark, YESTERDAY)), *found, gone)


def replaced(spark: SparkSession) -> int:
    """Return how many manifests a run of maintenance replaces."""
    before = {one.path() for one in listed(spark)}
    table_work.maintain(spark)
    gone = len(before - {one.path() for one in listed(spark)})
    print(f"{gone} of {len(before)} manifests replaced", flush=True)
    return gone


def listed(spark: SparkSession) -> list[long_table.Java]:
    table = history.table(spark)
    return list(table.currentSnapshot().dataManifests(table.io()))


def test_costs_do_not_grow(spark: SparkSession, events: Path) -> None:
    """With 90 days of files before it, a day costs as much as without: in bytes, manifests and planned files."""
    assert events.exists()
    spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('commit.manifest.target-size-bytes'='{MANIFEST}')")
    files = long_table.samples(spark)
    long_table.add(spark, files, 1, FILES, TODAY)
    table_work.maintain(spark)
    short = measure(spark)
    long_table.add(spark, files, 89, FILES, YESTERDAY)
    # The history's own manifests are sorted in a few runs, and then left alone.
    assert any(not replaced(spark) for _ in range(6))
    history_size = sum(one.length() for one in listed(spark))
    long = measure(spark)
    print(f"{short}\n{long}\n{len(listed(spark))} manifests, {history_size} bytes")
    assert history_size > 8 * MANIFEST
    assert long.commit.written <= 1.3 * short.commit.written
    assert long.commit.read <= 1.3 * short.commit.read
    assert (short.files, long.files) == (FILES, FILES)
    assert long.manifests <= short.manifests + 2
    # A manifest that has the day may have others, too: as many as fill it.
    assert long.plan.read <= short.plan.read + 2 * MANIFEST
    # Compaction plans three times, and settling once.
    assert long.maintenance.read <= short.maintenance.read + 8 * MANIFEST
    assert long.maintenance.written <= 1.3 * short.maintenance.written + 2 * MANIFEST
    assert long.replaced <= short.replaced + 2
