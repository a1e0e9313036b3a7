"""Manifests and changed days, by the metadata of files that do not exist."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from lake import history
from lake.maintenance import changes, manifests
from lake.settings import EVENTS
from pyspark.sql import SparkSession
from testbed.bench import long_table

TODAY = datetime.now(UTC).date()
PAST = [TODAY - timedelta(days=number) for number in range(20, 0, -1)]


@pytest.fixture
def lake(spark: SparkSession, events: Path) -> SparkSession:
    """Spark, with a table whose manifests only maintenance merges."""
    assert events.exists()
    spark.sql(
        f"ALTER TABLE {EVENTS} SET TBLPROPERTIES "
        "('commit.manifest-merge.enabled'='false', 'commit.manifest.target-size-bytes'='16384')"
    )
    return spark


def spans(spark: SparkSession) -> list[tuple[date, date]]:
    """Return the first and the last day of each manifest."""
    table = history.table(spark)
    return [changes.bounds(spark, one) for one in table.currentSnapshot().dataManifests(table.io())]


def test_many_manifests_become_few(lake: SparkSession) -> None:
    """Small manifests are merged once there are many; then none is written again until there are."""
    files = long_table.samples(lake)
    lake.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('commit.manifest.target-size-bytes'='65536')")
    for day in PAST:
        long_table.add(lake, files, 1, 4, day + timedelta(days=1))
    assert re.fullmatch("21 of 21 manifests became [12]", manifests.merge(lake))
    assert re.fullmatch("[12] manifests are few enough", manifests.merge(lake))


def test_manifests_that_all_have_every_day(lake: SparkSession) -> None:
    """Large manifests with files of the same days are sorted by day, so that a day is in few of them."""
    files = long_table.samples(lake)
    for _ in range(12):
        long_table.add(lake, files, 20, 3, TODAY)
    assert sum(first <= PAST[9] <= last for first, last in spans(lake)) == 12
    manifests.merge(lake)
    assert sum(first <= PAST[9] <= last for first, last in spans(lake)) <= 2
    before = spans(lake)
    assert manifests.merge(lake).endswith("few enough")
    assert spans(lake) == before


def test_changed_days(lake: SparkSession) -> None:
    """The changed days are those of new files, also in merged manifests; after a rollback any day may be one."""
    files = long_table.samples(lake)
    long_table.add(lake, files, 10, 4, TODAY)
    table = history.table(lake)
    mark = changes.since(lake, table, "").mark
    assert changes.since(lake, table, mark).days == frozenset()
    long_table.add(lake, files, 1, 4, PAST[2])
    long_table.add(lake, files, 1, 4, PAST[7])
    expected = frozenset({PAST[1], PAST[6]})
    assert changes.since(lake, history.table(lake), mark).days == expected
    table = history.table(lake)
    table.rewriteManifests().clusterBy(manifests.by_day(lake, 100)).commit()
    assert changes.since(lake, history.table(lake), mark).days == expected
    later = changes.since(lake, history.table(lake), mark).mark
    history.table(lake).manageSnapshots().rollbackTo(int(mark)).commit()
    assert changes.since(lake, history.table(lake), mark).days == frozenset()
    assert changes.since(lake, history.table(lake), later).days is None
