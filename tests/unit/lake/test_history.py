"""The table's history says what the table covers: with a table on the local file system, and no servers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lake import events_writer, history
from lake.commits import ConflictError
from lake.coverage import Coverage
from lake.history import State
from lake.last_records import LastRecord
from lake.loader import Loader
from lake.maintenance import snapshots
from lake.offsets import OffsetRange
from lake.settings import EVENTS, Settings
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

TOPIC = "topic-1"


@pytest.fixture
def lake(spark: SparkSession, events: Path) -> SparkSession:
    """Spark, with a new table in a catalog of files."""
    return spark


def rows(spark: SparkSession, start: int, end: int) -> DataFrame:
    """Rows of these offsets of partition 0."""
    now = F.current_timestamp()
    values = {
        "family": F.lit("joins"),
        "received_at": now,
        "kafka_partition": F.lit(0),
        "kafka_offset": F.col("id"),
        "kafka_timestamp": now,
    }
    columns = spark.table(EVENTS).schema
    return spark.range(start, end).select(
        *(values.get(c.name, F.lit(None).cast(c.dataType)).cast(c.dataType).alias(c.name) for c in columns)
    )


def look(spark: SparkSession) -> State:
    return history.state(history.table(spark))


def load(spark: SparkSession, start: int, end: int, known: State | None = None) -> State:
    """Append offsets of partition 0 as a writer that knows this state, by default the current one."""
    table = history.table(spark)
    state = known or history.state(table)
    ranges = [OffsetRange(0, start, end)]
    summary = State(
        state.snapshot,
        TOPIC,
        state.coverage | Coverage.of(ranges),
        {**state.last, 0: LastRecord(end - 1, end)},
    ).summary(TOPIC)
    events_writer.stage(rows(spark, start, end), table).commit(ranges, state.snapshot, summary)
    return look(spark)


def count(spark: SparkSession) -> int:
    return spark.table(EVENTS).count()


def roll_back(spark: SparkSession, state: State) -> None:
    history.table(spark).manageSnapshots().rollbackTo(state.snapshot).commit()


def expire(spark: SparkSession, kept: int) -> None:
    """Expire as maintenance does; without Spark's extensions there are no procedures, so that Iceberg is called."""
    events_writer.carry(spark)
    now = int(datetime.now(UTC).timestamp() * 1000)
    history.table(spark).expireSnapshots().expireOlderThan(now).retainLast(kept).commit()


def rewrite(spark: SparkSession) -> None:
    """Commit without saying anything, as compaction does."""
    history.table(spark).rewriteManifests().clusterBy(_same(spark)).commit()


def _same(spark: SparkSession) -> Any:  # noqa: ANN401 Java's
    jvm: Any = spark._jvm
    return jvm.java.util.function.Function.identity()


def test_an_upgrade_of_iceberg_keeps_what_appends_rest_on(lake: SparkSession) -> None:
    """Spark writes files and leaves their commit to the writer, whose commit is an append."""
    state = load(lake, 0, 10)
    current = history.table(lake).currentSnapshot()
    assert current.operation() == "append"
    assert current.summary()["added-records"] == "10"
    assert (str(state.coverage), state.topic_id, str(state.last[0]), state.is_whole) == (
        "0:0-10",
        TOPIC,
        "9=0000000a",
        True,
    )
    staged = events_writer.stage(rows(lake, 10, 20), history.table(lake))
    assert count(lake) == 10
    staged.delete()


def test_a_commit_without_rows_is_an_append(lake: SparkSession) -> None:
    """Offsets without records are covered by a commit that incremental readers read as an empty append."""
    table, ranges = history.table(lake), [OffsetRange(0, 0, 5)]
    staged = events_writer.stage(rows(lake, 0, 0), table)
    staged.commit(ranges, None, State(coverage=Coverage.of(ranges)).summary(TOPIC))
    assert history.table(lake).currentSnapshot().operation() == "append"
    assert str(look(lake).coverage) == "0:0-5"


def test_the_same_offsets_twice_are_refused(lake: SparkSession, tmp_path: Path) -> None:
    """A writer that did not know of another's rows of the same offsets is refused, and its files are deleted."""
    known = load(lake, 0, 10)
    load(lake, 10, 20, known)
    files = set(tmp_path.rglob("*.parquet"))
    with pytest.raises(ConflictError, match="Found conflicting files"):
        load(lake, 15, 25, known)
    assert set(tmp_path.rglob("*.parquet")) == files
    assert (count(lake), str(look(lake).coverage)) == (20, "0:0-20")


def test_two_writers_of_different_offsets(lake: SparkSession) -> None:
    """Writers that did not know of each other cover together what each of them covers."""
    known = load(lake, 0, 10)
    load(lake, 10, 20, known)
    state = load(lake, 30, 40, known)
    assert (str(state.coverage), state.last[0].offset, state.is_carried) == ("0:0-20 0:30-40", 39, False)
    assert str(load(lake, 20, 30).coverage) == "0:0-40"


def test_it_is_read_incrementally(lake: SparkSession) -> None:
    """A reader of what was appended since a snapshot gets each new row once, whatever maintenance did in between."""
    first = load(lake, 0, 10)
    load(lake, 10, 20, first)
    load(lake, 20, 30, first)
    rewrite(lake)
    events_writer.carry(lake)
    last = load(lake, 30, 35)
    new = lake.read.format("iceberg").option("start-snapshot-id", str(first.snapshot)).load(EVENTS)
    assert sorted(row.kafka_offset for row in new.collect()) == list(range(10, 35))
    some = lake.read.format("iceberg").option("start-snapshot-id", str(first.snapshot))
    assert some.option("end-snapshot-id", str(last.snapshot)).load(EVENTS).count() == 25


def test_a_table_that_is_rolled_back(lake: SparkSession) -> None:
    """A table that is rolled back covers what it covered then; a writer that knew the later table is refused."""
    first = load(lake, 0, 10)
    second = load(lake, 10, 20)
    roll_back(lake, first)
    assert look(lake).coverage == first.coverage
    with pytest.raises(ConflictError, match="Cannot determine history"):
        load(lake, 20, 30, second)
    assert str(load(lake, 10, 20).coverage) == "0:0-20"
    assert count(lake) == 20


def test_a_commit_without_rows_after_a_rollback(lake: SparkSession) -> None:
    """A writer that did not see the rollback, and whose commit has no conflict, covers no rows that are gone."""
    first = load(lake, 0, 10)
    later = load(lake, 10, 20)
    roll_back(lake, first)
    given_up = State(later.snapshot, TOPIC, later.coverage | Coverage.of([OffsetRange(0, 20, 25)]), later.last)
    events_writer.append(history.table(lake), given_up.summary(TOPIC))
    state = look(lake)
    assert (str(state.coverage), state.is_whole) == ("0:0-10", False)
    assert str(load(lake, 10, 20, history.with_rows(lake, state)).coverage) == "0:0-20"


def test_expired_snapshots_are_not_needed(lake: SparkSession) -> None:
    """After all but the current snapshot have expired, the table covers what it did, whichever writer was last."""
    known = load(lake, 0, 10)
    load(lake, 10, 20, known)
    load(lake, 30, 40, known)
    expire(lake, 1)
    assert len(list(history.table(lake).snapshots())) == 1
    state = look(lake)
    assert (str(state.coverage), state.is_whole, state.is_carried) == ("0:0-20 0:30-40", True, True)
    rewrite(lake)
    assert (str(look(lake).coverage), look(lake).is_carried) == ("0:0-20 0:30-40", False)
    expire(lake, 1)
    assert (str(look(lake).coverage), look(lake).is_whole) == ("0:0-20 0:30-40", True)
    assert count(lake) == 30


def test_appends_are_thinned_out(lake: SparkSession, tmp_path: Path) -> None:
    """Older appends expire but for the last before another change; rows, coverage and files stay."""
    for start in range(0, 50, 10):
        load(lake, start, start + 10)
    rewrite(lake)
    kept = history.table(lake).currentSnapshot().parentId()
    for start in range(50, 80, 10):
        load(lake, start, start + 10)
    files = set(tmp_path.rglob("*.parquet"))
    assert snapshots.thin_out(lake, datetime.now(UTC)) == "6 appends expired"
    table, state = history.table(lake), look(lake)
    assert kept in {one.snapshotId() for one in table.snapshots()}
    assert (str(state.coverage), state.is_whole, count(lake)) == ("0:0-80", True, 80)
    assert set(tmp_path.rglob("*.parquet")) == files
    assert snapshots.thin_out(lake, datetime.now(UTC) - timedelta(hours=1)) == "0 appends expired"
    assert str(load(lake, 80, 90).coverage) == "0:0-90"


def test_a_carried_table_is_left_as_it_is(lake: SparkSession) -> None:
    """Before an expiry no commit is made if the current snapshot says everything."""
    before = load(lake, 0, 10)
    assert events_writer.carry(lake)[1].snapshot == before.snapshot
    assert snapshots.past(lake) == []


def test_snapshots_that_somebody_expired(lake: SparkSession) -> None:
    """If others expired a snapshot that said something, the rows themselves tell what is covered."""
    known = load(lake, 0, 10)
    load(lake, 10, 20, known)
    load(lake, 30, 40, known)
    now = int(datetime.now(UTC).timestamp() * 1000)
    history.table(lake).expireSnapshots().expireOlderThan(now).retainLast(1).commit()
    state = look(lake)
    assert (str(state.coverage), state.is_whole) == ("0:0-10 0:30-40", False)
    assert str(history.with_rows(lake, state).coverage) == "0:0-20 0:30-40"
    assert str(events_writer.carry(lake)[1].coverage) == "0:0-20 0:30-40"


def test_rows_of_a_silent_writer(lake: SparkSession) -> None:
    """Rows that an older version added are noticed, in a table that says nothing and in one that does."""
    rows(lake, 0, 5).writeTo(EVENTS).append()
    state = look(lake)
    assert (state.coverage.partitions, state.is_whole) == ({}, False)
    assert str(history.with_rows(lake, state).coverage) == "0:0-5"
    load(lake, 5, 10, history.with_rows(lake, state))
    assert look(lake).is_whole
    rows(lake, 12, 15).writeTo(EVENTS).append()
    assert not look(lake).is_whole
    assert str(events_writer.carry(lake)[1].coverage) == "0:0-10 0:12-15"


class Topic:
    """A topic whose partition 1 had lost its first offsets before it was read."""

    name = "events"

    def identity(self) -> str:
        return TOPIC

    def all(self) -> list[OffsetRange]:
        return [OffsetRange(0, 2, 12), OffsetRange(1, 4, 6)]


def test_the_table_of_an_older_version(lake: SparkSession) -> None:
    """The first load finds out from the rows which offsets the table has, and says so in its history."""
    rows(lake, 0, 5).writeTo(EVENTS).append()
    rows(lake, 7, 9).writeTo(EVENTS).append()
    required = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC", "METASTORE_URI")
    given = {**dict.fromkeys(required, "1"), "TRINO_URL": "http://trino:8080"}
    loader = Loader(lake, Settings.from_environment(given), Topic())  # type: ignore[arg-type]
    loader.begin()
    assert str(loader.coverage) == "0:0-5 0:7-9 1:0-4"
    state = look(lake)
    assert (state.coverage, state.is_whole, state.is_carried) == (loader.coverage, True, True)
