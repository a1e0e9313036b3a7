"""Rollups on Spark and Iceberg, in a local folder: at any moment the dashboard shows what counts, each event once."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from game_api.pages.query_cache import QueryFailedError, Rows
from game_api.pages.rolled import METADATA, query
from game_events import ERASED, EVENT_TYPES, REJECTED
from game_events.once import counted
from game_events.rollups import ACTIVITY
from game_events.rules import START
from game_events.table import rejected_query
from lake import rollups
from lake.erasure.erasure import Erasure
from lake.erasure.players import Players
from lake.maintenance import compaction
from lake.maintenance.memory import Memory
from lake.maintenance.settling import settle
from lake.retry import retried
from lake.rollups import roll_up
from lake.settings import EVENTS, ROLLUPS, Settings
from lake.termination import root_cause
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.timeout(900)

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
EARLY = TODAY + timedelta(minutes=30)
"""When no hour of today is settled."""
DAYS = [TODAY - timedelta(days=age) for age in (9, 8, 6)] + [TODAY]
PLAYERS = ("ada", "bob", "carol", "dave")
TIES = ("declare_war", "declare_peace", "propose_alliance")

Event = dict[str, Any]


class Dashboard:
    """The table, and the dashboard's queries of it, in Spark's dialect."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self._columns = spark.table(EVENTS).schema
        self._offset = 0

    def write(self, *events: Event) -> None:
        """Append undecided rows, at the next offsets."""
        rows = []
        for event in events:
            row = event | {"kafka_partition": 0, "kafka_offset": self._offset}
            rows.append([row.get(name) for name in self._columns.names])
            self._offset += 1
        self.spark.createDataFrame(rows, self._columns).coalesce(1).writeTo(EVENTS).append()

    def run(self, text: str) -> Rows:
        """Run one of Trino's queries."""
        text = re.sub(r'"(\w+)\$(\w+)"', r"\1.\2", text).replace("FOR VERSION AS OF", "VERSION AS OF")
        text = re.sub(r"from_utf8\((\w+)\)", r"decode(\1, 'UTF-8')", text)
        self.spark.table(EVENTS).createOrReplaceTempView("events")
        rejected = rejected_query(EVENTS).replace("from_utf8(raw_value)", "decode(raw_value, 'UTF-8')")
        self.spark.sql(rejected).createOrReplaceTempView("rejected_events")
        try:
            return [row.asDict() for row in self.spark.sql(text).collect()]
        except PySparkException as error:
            raise QueryFailedError(str(error)) from error

    def snapshot(self) -> int:
        [row] = self.spark.sql(f"SELECT snapshot_id FROM {EVENTS}.refs WHERE name = 'main'").collect()
        return int(row.snapshot_id)

    def read(self, metadata: Rows) -> int | None:
        """Return the snapshot of `events` that is read beside the rollups; None if all events are added up."""
        text = query("players", metadata)
        found = re.search(r"events FOR VERSION AS OF (\d+)", text)
        assert bool(found) == (ROLLUPS in text)
        return int(found[1]) if found else None

    def check(self) -> int | None:
        """Compare all that the dashboard shows with the rows that count; return the snapshot that is read."""
        metadata = self.run(METADATA)
        read = self.read(metadata)
        version = EVENTS if read is None else f"{EVENTS} VERSION AS OF {read}"
        names = [name for name in self._columns.names if name != "counts"]
        events = [row.asDict() for row in self.spark.sql(counted(names, version, "true")).collect()]
        shown = {name: self.run(query(name, metadata)) for name in ("purchases", "players", "wars", "rejected")}
        assert {(row["event_type"], row["strength"]): row["number"] for row in shown["purchases"]} == Counter(
            (event["event_type"], event["strength"]) for event in events if event["family"] == "purchases"
        )
        sums = {row["player"]: (row["gold"], row["experience"], row["power"]) for row in shown["players"]}
        assert sums == heroes(events)
        assert {(row["player"], row["target"]): row["since"] for row in shown["wars"]} == wars(events)
        offsets = [row["kafka_offset"] for row in shown["rejected"]]
        latest = sorted(events, key=lambda event: (event["received_at"], event["kafka_offset"]), reverse=True)
        assert offsets == [event["kafka_offset"] for event in latest if event["family"] == REJECTED][:20]
        return read

    def check_activity(self) -> None:
        """Compare the events per minute of the rollups, and of undecided rows, with when what counts happened."""
        parts = f"SELECT minute, family, event_type, number FROM {ROLLUPS} WHERE kind = 'activity' UNION ALL "
        shown = self.run(ACTIVITY.merged(f"{parts} {ACTIVITY.undecided_parts(EVENTS)}"))
        names = [name for name in self._columns.names if name != "counts"]
        events = (row.asDict() for row in self.spark.sql(counted(names, EVENTS, f"family <> '{ERASED}'")).collect())
        assert {(row["minute"], row["family"], row["event_type"]): row["number"] for row in shown} == Counter(
            (happened(event).replace(second=0, microsecond=0), event["family"], event["event_type"]) for event in events
        )


def happened(event: Event) -> datetime:
    """Return when an event happened, by the clock of its client as far as that may be believed."""
    received: datetime = event["received_at"]
    if event["occurred_at"] is None:
        return received
    corrected = event["occurred_at"] + (received - (event["sent_at"] or received))
    return min(received, max(received - timedelta(days=90), corrected))


def heroes(events: list[Event]) -> dict[str, tuple[int, int, int]]:
    sums: Counter[tuple[str, str]] = Counter()
    names = set()
    for event in events:
        if event["family"] in (ERASED, REJECTED):
            continue
        names.add(event["player"])
        sums[event["player"], "gold"] += event["gold"] or 0
        sums[event["player"], "experience"] += event["experience"] or 0
        if EVENT_TYPES[event["event_type"]].gives_power:
            sums[event["player"], "power"] += event["strength"] or 0
        if event["target_gold"] is not None and event["target"] is not None:
            names.add(event["target"])
            sums[event["target"], "gold"] += event["target_gold"]
    values = ("gold", "experience", "power")
    found = {name: tuple(START[value] + sums[name, value] for value in values) for name in names}
    return {name: (gold, experience, power) for name, (gold, experience, power) in found.items()}


def wars(events: list[Event]) -> dict[tuple[str, str], datetime]:
    last: dict[tuple[str, str], Event] = {}
    for event in sorted(events, key=lambda event: (event["received_at"], event["event_id"] or "")):
        is_tie = event["family"] not in (ERASED, REJECTED) and "tie" in EVENT_TYPES[event["event_type"]].sets
        if is_tie and event["target"] is not None:
            last[event["player"], event["target"]] = event
    return {pair: event["received_at"] for pair, event in last.items() if event["event_type"] == "declare_war"}


def event(random: Random, day: datetime) -> Event:
    """An event of the day, often an attempt at one that others attempt, too."""
    received = day + timedelta(seconds=random.randrange(86_400 if day != TODAY else 60))
    kind = random.choice(("purchase", "tie", "tribute", "rejected"))
    if kind == "rejected":
        return {"family": REJECTED, "received_at": received, "error": "no JSON", "raw_value": b"{"}
    player = random.choice(PLAYERS)
    made: Event = {"player": player, "received_at": received, "idempotent": True}
    if random.random() < 0.7:
        sent = random.choice((None, received - timedelta(days=random.randrange(-500, 500))))
        occurred = (sent or received) - timedelta(minutes=random.choice((-5, 0, 1, 2_000, 200_000)))
        made |= {"sent_at": sent, "occurred_at": occurred}
    if kind == "purchase":
        name = random.choice(("purchase_axe", "purchase_bow"))
        return made | {
            "family": "purchases",
            "event_type": name,
            "event_id": f"{name}-{random.randrange(6)}",
            "strength": random.randrange(3),
            "gold": random.choice((None, -15)),
            "idempotent": random.choice((None, True)),
        }
    made["target"] = random.choice([name for name in PLAYERS if name != player])
    if kind == "tribute":
        key = f"tribute-{random.randrange(4)}"
        return made | {
            "family": "diplomacy",
            "event_type": "pay_tribute",
            "event_id": key,
            "gold": -5,
            "target_gold": 5,
        }
    name = random.choice(TIES)
    return made | {
        "family": EVENT_TYPES[name].family,
        "event_type": name,
        "event_id": f"{name}-{made['target']}-{random.randrange(3)}",
    }


@pytest.fixture
def dashboard(spark: SparkSession, events: Path) -> Dashboard:
    spark.sql(f"ALTER TABLE {EVENTS} SET TBLPROPERTIES ('write.delete.mode'='merge-on-read')")
    rollups.create(spark, f"file:{events.parent / 'rollups'}")
    return Dashboard(spark)


def test_each_event_counts_once_at_any_moment(dashboard: Dashboard, spark: SparkSession) -> None:
    """Before and after days are settled and added up, and for late rows, the dashboard shows each event once."""
    random = Random(1)
    assert dashboard.check() is None
    dashboard.write(*(event(random, random.choice(DAYS)) for _ in range(60)))
    before = dashboard.snapshot()
    assert roll_up(spark) == "all days added up"
    assert dashboard.check() == before

    settle(spark, Memory(), EARLY)
    # What was decided is not in the rollups yet, so the rows are read as they were before.
    dashboard.write(event(random, TODAY))
    assert dashboard.check() == before
    assert roll_up(spark) == "3 files of decided rows added"
    assert dashboard.check() == dashboard.snapshot()
    assert roll_up(spark) == "nothing changed"

    dashboard.write(*(event(random, DAYS[1]) for _ in range(9)))
    compaction.merge_small_files(spark, Memory())
    assert dashboard.check() == dashboard.snapshot()
    assert roll_up(spark) == "no decided row changed"
    assert dashboard.check() == dashboard.snapshot()
    settle(spark, Memory(), EARLY)
    assert roll_up(spark) == "1 files of decided rows added"
    assert dashboard.check() == dashboard.snapshot()


def test_hours_of_a_day(dashboard: Dashboard, spark: SparkSession) -> None:
    """Each settled hour is added to the sums; the day is added up again when it is over and its files are merged."""
    random = Random(4)
    day, memory = DAYS[0], Memory()
    assert roll_up(spark) == "no rows"
    for hour in range(1, 6):
        made = (event(random, day) for _ in range(12))
        since = day + timedelta(hours=hour - 0.5)
        dashboard.write(
            *(one | {"received_at": since + timedelta(minutes=5 * number)} for number, one in enumerate(made))
        )
        # A part of the files' rows stays undecided.
        settle(spark, memory, day + timedelta(hours=hour, minutes=5))
        assert roll_up(spark) == ("all days added up" if hour == 1 else "1 files of decided rows added")
        assert dashboard.check() == dashboard.snapshot()
    compaction.merge_small_files(spark, Memory())
    dashboard.write(event(random, day) | {"received_at": day + timedelta(hours=23)})
    assert settle(spark, memory, EARLY).startswith("1 days, ")
    assert roll_up(spark) == "1 days added up"
    assert dashboard.check() == dashboard.snapshot()
    settle(spark, memory, EARLY)
    assert roll_up(spark) in ("nothing changed", "no decided row changed")
    dashboard.check_activity()


def test_changes_of_decided_rows(dashboard: Dashboard, spark: SparkSession, events: Path) -> None:
    """Erased players, mended rows, deleted days and a table that is rolled back are never counted wrongly."""
    random = Random(2)
    dashboard.write(*(event(random, random.choice(DAYS)) for _ in range(60)))
    settle(spark, Memory(), EARLY)
    assert roll_up(spark) == "all days added up"
    settled = dashboard.snapshot()

    def changed(statement: str) -> str:
        before = dashboard.snapshot()
        spark.sql(statement)
        assert dashboard.check() == before
        did = roll_up(spark)
        assert dashboard.check() == dashboard.snapshot()
        return did

    # As `batch.py mend` does: an undecided row replaces a rejected one.
    mended = {"family": "purchases", "event_type": "purchase_axe", "player": "ada", "event_id": "m", "strength": 2}
    values = ", ".join(f"{name} = {value!r}" for name, value in mended.items())
    [first] = dashboard.run(f"SELECT min(kafka_offset) AS rejected FROM {EVENTS} WHERE family = 'rejected' AND counts")
    where = f"kafka_offset = {first['rejected']}"
    assert changed(f"UPDATE {EVENTS} SET {values}, counts = NULL WHERE {where}") == "1 days added up"

    names = ("file:" + str(events.parent / name) for name in ("events", "rollups", "export"))
    locations = dict(zip(("events_location", "rollups_location", "export_location"), names, strict=True))
    erasure = Erasure(spark, cast(Settings, SimpleNamespace(**locations)), Players(("bob",)))
    found = erasure.search()
    assert any("/rollups/" in path for path in found.found)
    erasure.clean(found, 0)
    assert dashboard.check() == dashboard.snapshot()
    dashboard.check_activity()
    assert not erasure.search().found

    assert changed(f"DELETE FROM {EVENTS} WHERE received_at < TIMESTAMP '{DAYS[1]:%Y-%m-%d}'") == "1 days added up"

    kept = dashboard.snapshot()
    dashboard.write(*(event(random, DAYS[1]) for _ in range(9)))
    settle(spark, Memory(), EARLY)
    roll_up(spark)
    spark.sql(f"CALL lake.system.rollback_to_snapshot('default.events', {kept})")
    assert settled != kept
    assert dashboard.check() is None
    assert roll_up(spark) == "all days added up"
    assert dashboard.check() == kept


def test_two_runs_at_once(dashboard: Dashboard, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two runs that overlap, the slower one is refused or ignored, whatever it was about to add up."""
    random = Random(3)
    write = rollups._rejected_since

    def overlapping(every: DataFrame) -> str | None:
        monkeypatch.setattr(rollups, "_rejected_since", write)
        dashboard.write(*(event(random, DAYS[0]) for _ in range(9)))
        settle(spark, Memory(), EARLY)
        roll_up(spark)
        return write(every)

    for day in (DAYS[1], DAYS[2]):
        dashboard.write(*(event(random, day) for _ in range(9)))
        settle(spark, Memory(), EARLY)
        monkeypatch.setattr(rollups, "_rejected_since", overlapping)
        with pytest.raises((PySparkException, Py4JJavaError)) as refusal:
            roll_up(spark)
        assert root_cause(refusal.value).startswith("org.apache.iceberg.exceptions.ValidationException")
        assert dashboard.check() == dashboard.snapshot()
        retried(lambda: roll_up(spark))
        assert dashboard.check() == dashboard.snapshot()
