"""Settled hours on Spark and Iceberg, in a local folder: at any moment the views show what counts."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from game_events.event_ids import uuid7s
from lake.erasure.erasure import Erasure
from lake.erasure.players import Players
from lake.maintenance import settling
from lake.maintenance.compaction import apply_deletes, merge_small_files
from lake.maintenance.memory import Memory
from lake.maintenance.settling import settle
from lake.settings import EVENTS, Settings
from lake.staged_files import RowsError, StagedFiles
from pyspark.sql import SparkSession

from tests.attempts import counted
from tests.unit.lake.test_settling import FIRST, VIEW, Events

pytestmark = pytest.mark.timeout(1800)

PLAYERS = ("ada", "bob", "carol")
KEYS = [(f"k{n}", f"l{n}", *uuid7s(int(FIRST.timestamp() * 1000) + n, 3)) for n in range(5)]


@pytest.fixture
def events(spark: SparkSession, events: Path) -> Events:
    spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('write.delete.mode'='merge-on-read')")
    return Events(spark)


def at(hour: float) -> datetime:
    """Return when maintenance settles all hours before this one, of the first day."""
    return FIRST + timedelta(hours=hour + 1, minutes=5)


def test_an_hour_that_is_over_is_settled(events: Events, spark: SparkSession) -> None:
    """Rows of hours that are over are decided; others of the same files stay undecided, in files of their own."""
    memory = Memory()
    events.write(FIRST, (1, "k", 0), (10.9, "k", 1), (11.2, "k", 2), (11.3, "l", 3))
    events.write(FIRST, (11.5, "l", 4))
    rows, shown = events.rows(), events.shown()
    assert shown == [0, 3]
    assert settle(spark, memory, at(11)) == "1 days, 1 files became 2"
    assert events.counts() == {0: True, 1: False, 2: None, 3: None, 4: None}
    assert (events.rows(), events.shown()) == (rows, shown)
    assert events.operations()[-1] == "replace"
    assert settle(spark, memory, at(11) + timedelta(minutes=50)) == "0 days, 0 files became 0"
    assert settle(spark, memory, at(12)) == "1 days, 2 files became 1"
    assert events.counts() == {0: True, 1: False, 2: False, 3: True, 4: False}
    assert (events.rows(), events.shown()) == (rows, shown)
    kinds = f"SELECT count(DISTINCT counts IS NULL) FROM {EVENTS} GROUP BY _file"
    assert set(events.ask(kinds)) == {1}


def test_rows_of_a_settled_hour(events: Events, spark: SparkSession) -> None:
    """A row that arrives after its hour was settled is decided with the next hour, alone."""
    memory = Memory()
    events.write(FIRST, (1, "k", 0), (2, "l", 1))
    settle(spark, memory, at(3))
    settled = events.files()
    events.write(FIRST, (1.5, "k", 2), (1.5, "m", 3))
    shown = events.shown()
    assert shown == [0, 1, 3]
    assert settle(spark, memory, at(3)) == "0 days, 0 files became 0"
    assert settle(spark, memory, at(4)) == "1 days, 1 files became 1"
    assert events.counts() == {0: True, 1: True, 2: False, 3: True}
    assert events.shown() == shown
    assert settled < events.files()


def test_only_hours_of_the_current_day_that_were_changed_are_repeated(
    events: Events, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a row of an hour is deleted meanwhile, the hour is settled by the next run, in the same hour."""
    memory = Memory()
    events.write(FIRST, (1, "k", 0), (2, "l", 1))
    replace = StagedFiles.replace

    def slow(files: StagedFiles, *arguments: Any) -> int:  # noqa: ANN401
        monkeypatch.setattr(StagedFiles, "replace", replace)
        events.delete(1)
        return files.replace(*arguments)

    monkeypatch.setattr(StagedFiles, "replace", slow)
    said = "1 days, 0 files became 0; 1 days were changed meanwhile, left to the next run"
    assert settle(spark, memory, at(3)) == said
    assert settle(spark, memory, at(3)) == "1 days, 1 files became 1"
    assert events.counts() == {0: True}


def test_no_row_is_lost(events: Events, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is not replaced if the new ones would lack a row of it."""
    events.write(FIRST, (1, "k", 0), (11.5, "l", 1))
    monkeypatch.setattr(settling, "_unfinished", lambda *_: [])
    with pytest.raises(RowsError, match="would have -1 rows"):
        settle(spark, Memory(), at(11))
    assert events.counts() == {0: None, 1: None}


def test_compaction_leaves_settled_files(events: Events, spark: SparkSession) -> None:
    """Compaction merges files of undecided rows only, and settles nothing."""
    for hour in range(5):
        events.write(FIRST, (hour, f"k{hour}", hour))
        settle(spark, Memory(), at(hour + 1))
    settled = events.files()
    for hour in range(6, 10):
        events.write(FIRST, (hour, "k1", hour))
    assert len(settled) == 5
    shown = events.shown()
    merge_small_files(spark, Memory())
    assert settled < events.files()
    assert len(events.files()) == 6
    assert events.shown() == shown


def test_a_day_that_is_over_is_merged(events: Events, spark: SparkSession) -> None:
    """Once a day is over, small files of its hours become one, which is sorted."""
    memory = Memory()
    for hour in range(4):
        players = [f"p{(3 * hour + number) % 7}" for number in range(3)]
        for number, player in enumerate(players):
            events.write(FIRST, (hour, f"k{number}", 10 * hour + number), player=player)
        settle(spark, memory, at(hour + 1))
    events.write(FIRST, (23.5, "k0", 99), player="p0")
    rows, shown = events.rows(), events.shown()
    assert len(events.files()) == 5
    assert settle(spark, memory, at(23)) == "0 days, 0 files became 0"
    assert settle(spark, memory, at(24)) == "1 days, 5 files became 1"
    assert (events.rows(), events.shown()) == (rows, shown)
    assert None not in events.counts().values()
    [path] = events.files()
    path = path.removeprefix("file:")
    sorted_players = duckdb.execute(f"SELECT player FROM '{path}'").fetchall()
    assert sorted_players == sorted(sorted_players)
    assert settle(spark, memory, at(25)) == "0 days, 0 files became 0"


def test_small_late_files_do_not_rewrite_the_day(events: Events, spark: SparkSession) -> None:
    """Of a day that is over, a large file is not merged with small ones of late rows, which are."""
    events.write(FIRST, *((1, Random(number).randbytes(200).hex(), number) for number in range(1000)))
    settle(spark, Memory(), at(30))
    [large] = events.files()
    memory = Memory()
    for number in range(4):
        events.write(FIRST, (2, f"late{number}", 5000 + number))
        settle(spark, memory, at(30))
    assert len(events.files()) == 5
    events.write(FIRST, (2, "late4", 5004))
    rows, shown = events.rows(), events.shown()
    settle(spark, memory, at(30))
    assert large in events.files()
    assert len(events.files()) == 2
    assert (events.rows(), events.shown()) == (rows, shown)


class History:
    """Random attempts in the order of a topic with two partitions, and what happens to their table."""

    def __init__(self, spark: SparkSession, events: Events, seed: int) -> None:
        self.spark, self._events, self.random = spark, events, Random(seed)
        self._known: dict[tuple[int, int], dict[str, Any]] = {}
        self._offsets: Counter[int] = Counter()
        self._saved = 0
        self.is_late = False
        """Whether rows may come after others that were received hours later, so that the rule alone does not say which
        attempt counts. Then no key is used for longer than half a day."""

    def append(self, since: float, until: float) -> None:
        """Append attempts of some hours; of two servers, whose clocks differ by seconds."""
        for hour in sorted(self.random.uniform(since, until) for _ in range(9)):
            key = self.random.choice(KEYS[int(hour / 12) if self.is_late else 0])
            player = self.random.choice(PLAYERS)
            # Once partitions were added, later records of a player are in another one.
            partition = 1 if player == "carol" or (player == "bob" and hour > 20) else 0
            partition = self.random.choice((0, 1)) if self.is_late else partition
            # An event without a key reaches the topic before its retry, or soon afterwards.
            is_retry = any((one["player"], one["event_id"]) == (player, key) for one in self._known.values())
            self._known[partition, self._offsets[partition]] = {
                "family": "purchases",
                "event_type": "purchase_axe",
                "event_id": key,
                "player": player,
                "idempotent": len(key) == 2 or is_retry or self.random.choice((None, True)),
                "received_at": FIRST + timedelta(hours=max(since, hour - self.random.choice((0, 0.002)))),
                "kafka_partition": partition,
                "kafka_offset": self._offsets[partition],
            }
            self._offsets[partition] += 1
        new = set(self._known) - set(self._events.ask(f"SELECT kafka_partition, kafka_offset FROM {EVENTS}"))
        self._events.append(*(self._known[place] for place in sorted(new)))

    def append_late(self, until: float) -> None:
        self.append(until - 5, until)

    def mend(self, hour: float) -> None:
        """Append a rejected record of an hour, decide it, and replace it by an attempt, as `batch.py mend` does."""
        offset = self._offsets[0] = self._offsets[0] + 1000
        rejected = {"family": "rejected", "received_at": FIRST + timedelta(hours=hour), "kafka_partition": 0}
        self._events.append(rejected | {"kafka_offset": offset})
        settle(self.spark, Memory(), at(hour + 1))
        values = "family = 'purchases', event_type = 'purchase_axe', player = 'ada', event_id = 'k0', idempotent = true"
        self.spark.sql(f"UPDATE {EVENTS} SET {values}, counts = NULL WHERE kafka_offset = {offset}")

    def erase(self, player: str, folder: Path) -> None:
        names = ("events", "rollups", "export")
        locations = SimpleNamespace(**{f"{name}_location": f"file:{folder / name}" for name in names})
        erasure = Erasure(self.spark, cast(Settings, locations), Players((player,)))
        erasure.rewrite_rows(erasure.search().spellings)
        self._known = {
            place: one | {"player": None} if one["player"] == player else one for place, one in self._known.items()
        }

    def save(self) -> None:
        [self._saved] = self._events.ask(f"SELECT snapshot_id FROM {EVENTS}.refs WHERE name = 'main'")

    def roll_back(self) -> None:
        """Return to what was saved; the rows since then are loaded again with the next ones."""
        self.spark.sql(f"CALL lake.system.rollback_to_snapshot('default.events', {self._saved})")

    def places(self) -> list[tuple[int, int]]:
        """Return the places of the rows that the view shows."""
        return sorted(self._events.ask(f"SELECT kafka_partition, kafka_offset FROM ({VIEW})"))

    def check(self) -> None:
        """Compare the events that the view shows with the rule, which is implemented again."""
        shown = Counter(self._events.ask(f"SELECT player, event_id FROM ({VIEW})"))
        stored = set(self._events.ask(f"SELECT kafka_partition, kafka_offset FROM {EVENTS}"))
        rows = [self._known[place] for place in sorted(self._known) if place in stored]
        rows = [one | {"received_at": one["received_at"].timestamp() * 1000} for one in rows if one["player"]]
        assert self.is_late or shown == Counter((one["player"], one["event_id"]) for one in counted(rows))

    def maintain(self, hour: float) -> None:
        """Compact and settle, or one of them: nothing that the views show changes, nor any other column."""
        self.check()
        rows, places = self._events.rows(), self.places()
        for do in self.random.choice(((self._merge,), (self._merge, self._settle), (self._settle,))):
            do(hour)
            assert (self._events.rows(), self.places()) == (rows, places)
        self.check()

    def _merge(self, _: float) -> None:
        merge_small_files(self.spark, Memory())
        apply_deletes(self.spark)

    def _settle(self, hour: float) -> None:
        settle(self.spark, Memory(), at(hour))
        over = f"received_at < TIMESTAMP '{FIRST + timedelta(hours=int(hour)):%Y-%m-%d %X}'"
        assert self._events.ask(f"SELECT count(*) FROM {EVENTS} WHERE counts IS NULL AND {over}") == [0]


@pytest.mark.parametrize("seed", [0, 1])
def test_histories(events: Events, spark: SparkSession, tmp_path: Path, seed: int) -> None:
    """Whatever arrives, and whatever is done in between, hours that are settled change nothing that the views show."""
    history = History(spark, events, seed)
    history.is_late = bool(seed % 2)
    meanwhile: dict[int, Callable[[], None]] = {9: history.save, 14: history.roll_back}
    meanwhile[29] = lambda: history.erase("carol", tmp_path / "default")
    if history.is_late:
        meanwhile |= {
            5: lambda: history.append_late(5),
            26: lambda: history.mend(3),
            33: lambda: history.append_late(30),
        }
    before = 0
    for hour in (1, 5, 9, 14, 23, 26, 29, 33, 51):
        history.append(before, hour)
        if hour in meanwhile:
            meanwhile[hour]()
        history.maintain(hour - history.random.choice((0, 0, 1)))
        before = hour
    settle(spark, Memory())
    history.check()
    assert None not in events.counts().values()
