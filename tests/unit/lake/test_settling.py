"""Settled days on Spark and Iceberg, in a local folder: what a commit changes, and what it leaves alone."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from game_events.table import family_query
from lake import history
from lake.maintenance import settling
from lake.maintenance.memory import Memory
from lake.maintenance.settling import settle
from lake.maintenance.unsettled import Unsettled
from lake.settings import EVENTS
from lake.staged_files import RowsError, StagedFiles
from pyspark.sql import Row, SparkSession

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
VIEW = family_query("purchases", EVENTS)
FIRST, SECOND = TODAY - timedelta(days=8), TODAY - timedelta(days=7)


class Events:
    """The table, in a folder without servers."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._columns = spark.table(EVENTS).schema

    def write(self, day: datetime, *attempts: tuple[float, str, int], **changes: Any) -> None:  # noqa: ANN401
        """Append marked attempts of a day: hour, event id and offset."""
        event = {"family": "purchases", "event_type": "purchase_axe", "player": "p", "idempotent": True}
        event |= {"kafka_partition": 0} | changes
        self.append(
            *(
                {**event, "received_at": day + timedelta(hours=hour), "event_id": key, "kafka_offset": offset}
                for hour, key, offset in attempts
            )
        )

    def append(self, *rows: Mapping[str, Any]) -> None:
        table = [[row.get(name) for name in self._columns.names] for row in rows]
        self._spark.createDataFrame(table, self._columns).coalesce(1).writeTo(EVENTS).append()

    def ask(self, query: str) -> list[Any]:
        return [row[0] if len(row) == 1 else tuple(row) for row in self._spark.sql(query).collect()]

    def rows(self) -> list[Row]:
        """Return all rows, without what settling decides."""
        return self._spark.table(EVENTS).drop("counts").orderBy("kafka_partition", "kafka_offset").collect()

    def shown(self) -> list[int]:
        """Return the offsets that the view shows."""
        return sorted(self.ask(f"SELECT kafka_offset FROM ({VIEW})"))

    def counts(self) -> dict[int, bool | None]:
        return dict(self.ask(f"SELECT kafka_offset, counts FROM {EVENTS}"))

    def files(self) -> set[str]:
        return set(self.ask(f"SELECT file_path FROM {EVENTS}.data_files"))

    def operations(self) -> list[str]:
        return self.ask(f"SELECT operation FROM {EVENTS}.snapshots ORDER BY committed_at")

    def delete(self, offset: int) -> None:
        """Mark a row as deleted."""
        self._spark.sql(f"DELETE FROM {EVENTS} WHERE kafka_offset = {offset}")


@pytest.fixture
def events(spark: SparkSession, events: Path) -> Events:
    spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('write.delete.mode'='merge-on-read')")
    return Events(spark)


def test_a_day_that_is_over_is_settled(events: Events, spark: SparkSession) -> None:
    """Each row of a day that is over is decided in one replacing commit, and no other value changes."""
    events.write(FIRST, (1, "k", 0), (2, "k", 1), (23.5, "l", 2))
    events.write(FIRST, (3, "m", 3), (4, "n", 4))
    events.write(SECOND, (0.5, "l", 5), (23.9, "k", 6))
    events.write(TODAY, (0, "k", 7))
    events.delete(4)
    rows, shown = events.rows(), events.shown()
    assert shown == [0, 2, 3, 6, 7]
    early = TODAY + timedelta(minutes=30)
    assert settle(spark, Memory(), early) == "2 days, 3 files became 2"
    assert events.counts() == {0: True, 1: False, 2: True, 3: True, 5: False, 6: True, 7: None}
    assert (events.rows(), events.shown()) == (rows, shown)
    assert events.operations()[-2:] == ["replace", "replace"]
    assert settle(spark, Memory(), early) == "0 days, 0 files became 0"


def test_only_late_rows_are_decided_later(events: Events, spark: SparkSession) -> None:
    """Rows that arrive after their day was settled are decided in a later run; the day's other files stay."""
    events.write(FIRST, (1, "k", 0), (2, "l", 1))
    settle(spark, Memory())
    settled = events.files()
    events.write(FIRST, (1.5, "k", 2), (1.5, "m", 3))
    rows, shown = events.rows(), events.shown()
    assert shown == [0, 1, 3]
    assert settle(spark, Memory()) == "1 days, 1 files became 1"
    assert events.counts() == {0: True, 1: True, 2: False, 3: True}
    assert (events.rows(), events.shown()) == (rows, shown)
    assert settled < events.files()


@pytest.mark.parametrize(
    ("meanwhile", "result"),
    [
        (
            lambda events: events.delete(1),
            "1 days, 0 files became 0; 1 days were changed meanwhile, left to the next run",
        ),
        (lambda events: events.write(FIRST, (5, "k", 9)), "1 days, 1 files became 1"),
    ],
    ids=["a deleted row", "new rows"],
)
def test_beside_another_writer(
    events: Events,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[Events], None],
    result: str,
) -> None:
    """A day whose files change meanwhile is left to the next run; new rows do not conflict, and are decided then."""
    events.write(FIRST, (1, "k", 0), (2, "l", 1), (3, "k", 2))
    replace = StagedFiles.replace

    def slow(files: StagedFiles, snapshot: int, summary: Mapping[str, str]) -> int:
        monkeypatch.setattr(StagedFiles, "replace", replace)
        meanwhile(events)
        return files.replace(snapshot, summary)

    monkeypatch.setattr(StagedFiles, "replace", slow)
    assert settle(spark, Memory()) == result
    rows, shown = events.rows(), events.shown()
    assert shown == [0, 1] if len(rows) > 2 else [0]
    assert settle(spark, Memory()) == "1 days, 1 files became 1"
    assert (events.rows(), events.shown()) == (rows, shown)
    assert None not in events.counts().values()


def test_the_files_of_a_large_day(events: Events, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large day becomes several files, and each player's rows are in one of them."""
    monkeypatch.setattr(settling, "_MEGABYTE", 80)
    for number, player in enumerate("qrst"):
        events.write(FIRST, (1, "k", 2 * number), (2, "l", 2 * number + 1), player=player)
    rows, shown = events.rows(), events.shown()
    settle(spark, Memory())
    assert (events.rows(), events.shown()) == (rows, shown)
    assert len(events.files()) > 1
    assert set(events.ask(f"SELECT count(DISTINCT _file) FROM {EVENTS} GROUP BY player")) == {1}


def test_days_that_were_looked_at(events: Events, spark: SparkSession) -> None:
    """Later runs look only at days that got rows since, also old ones, and at days that are over since."""
    memory = Memory()
    events.write(FIRST, (1, "k", 0))
    events.write(SECOND, (1, "l", 1))
    assert settle(spark, memory) == "2 days, 2 files became 2"
    over = datetime.fromisoformat(memory.seen(settling.HOURS_OVER).split()[1])
    assert timedelta(hours=1) <= datetime.now(UTC) - over < timedelta(hours=2, minutes=10)
    events.write(FIRST, (2, "m", 2))
    assert settle(spark, memory) == "1 days, 1 files became 1"
    snapshot = history.table(spark).currentSnapshot().snapshotId()
    memory.note_seen(settling.HOURS_OVER, f"{snapshot} {SECOND.isoformat()}")
    events.write(SECOND, (3, "n", 3))
    assert settle(spark, memory) == "1 days, 1 files became 1"
    assert None not in events.counts().values()


def test_a_settled_day_that_was_rolled_back(events: Events, spark: SparkSession) -> None:
    """If the commit that settled a day was rolled back, the next run settles the day again."""
    memory = Memory()
    events.write(FIRST, (1, "k", 0))
    unsettled = history.table(spark).currentSnapshot().snapshotId()
    for _ in range(2):
        assert settle(spark, memory) == "1 days, 1 files became 1"
        spark.sql(f"CALL lake.system.rollback_to_snapshot('default.events', {unsettled})")


def test_a_clock_that_was_ahead(events: Events, spark: SparkSession) -> None:
    """What a run noted whose clock was ahead does not keep later ones from settling what is over."""
    memory = Memory()
    settle(spark, memory, TODAY + timedelta(days=400))
    events.write(FIRST, (1, "k", 0))
    mark = history.table(spark).currentSnapshot().snapshotId()
    memory.note_seen(settling.HOURS_OVER, f"{mark} {memory.seen(settling.HOURS_OVER).split()[-1]}")
    assert settle(spark, memory) == "1 days, 1 files became 1"


def test_a_long_run_gives_way(events: Events, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that takes too long settles the current day's hours, and leaves other days to the next one."""
    memory, noon = Memory(), SECOND + timedelta(days=1, hours=12)
    events.write(FIRST, (1, "k", 0))
    events.write(SECOND, (1, "l", 1))
    events.write(SECOND, (25, "m", 2))
    monkeypatch.setattr(settling, "_PATIENCE", -1)
    left = "2 days are left to the next run, after the other steps"
    assert settle(spark, memory, noon) == f"3 days, 1 files became 1; {left}"
    monkeypatch.undo()
    assert settle(spark, memory, noon) == "2 days, 2 files became 2"


def test_a_day_that_fails_stops_no_other(events: Events, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are settled, the current one first; then the failure is raised, and the next run tries again."""
    memory, noon = Memory(), SECOND + timedelta(days=1, hours=12)
    events.write(FIRST, (1, "k", 0))
    events.write(SECOND, (1, "l", 1))
    events.write(SECOND, (25, "m", 2))
    replace, tried = settling._replace, []

    def fail(spark: SparkSession, chosen: Unsettled) -> int:
        tried.append(chosen.start)
        if chosen.start == FIRST:
            raise RowsError("a file cannot be read")
        return replace(spark, chosen)

    monkeypatch.setattr(settling, "_replace", fail)
    with pytest.raises(RowsError, match="cannot be read"):
        settle(spark, memory, noon)
    assert tried == [SECOND + timedelta(days=1), FIRST, SECOND]
    assert events.counts() == {0: None, 1: True, 2: True}
    monkeypatch.undo()
    assert settle(spark, memory, noon) == "1 days, 1 files became 1"
