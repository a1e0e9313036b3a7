"""The models on DuckDB, over months of generated players, compared with plain Python."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from game_events.item_rules import HEADER, item_rules
from game_events.table import COLUMNS, player_events_query
from testbed.settings import ROOT

from tests.unit.models.expected import Expected
from tests.unit.models.history import Event, history

PROJECT = ROOT / "spark-apps/models"
RECORDS = history(seed=1, players=150)


class Models:
    """A table `events` in a file, and the models of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "lake.duckdb"
        columns = ", ".join(f"{column.name} {column.kind.sql_type.replace('STRING', 'VARCHAR')}" for column in COLUMNS)
        self.ask(f"CREATE TABLE events ({columns.replace('BINARY', 'BLOB')})")
        self.ask(f"CREATE VIEW player_events AS {player_events_query('events')}")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self._file) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query).fetchall()

    def add(self, records: Iterable[Event]) -> None:
        known = [column.name for column in COLUMNS]
        rows = [[_stored(record.get(name)) for name in known] for record in records]
        lines = [dict(zip(known, row, strict=True)) for row in rows]
        self.folder.joinpath("events.jsonl").write_text("".join(f"{json.dumps(line, default=str)}\n" for line in lines))
        types = ", ".join(f"'{name}': '{kind}'" for name, kind, *_ in self.ask("DESCRIBE events"))
        self.ask(f"INSERT INTO events FROM read_json('{self.folder / 'events.jsonl'}', columns = {{{types}}})")

    def build(self, *arguments: str) -> None:
        """Bring all models up to date, and run their own tests."""
        run = subprocess.run(
            [ROOT / ".venv-models/bin/dbt", "--quiet", "build", "--target", "duckdb", *arguments],
            cwd=PROJECT,
            env=os.environ
            | {
                "DBT_PROFILES_DIR": str(PROJECT),
                "DBT_TARGET_PATH": str(self.folder / "target"),
                "DBT_LOG_PATH": str(self.folder),
                "MODELS_DATABASE": str(self._file),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr


def _stored(value: object) -> object:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Models, Expected]:
    """Models that were built twice: of the first two thirds, and then of all records, of which some had changed.

    Meanwhile a player was erased, and records arrived whose offsets are lower than those of others that were loaded.
    """
    models = Models(tmp_path_factory.mktemp("models"))
    end = len(RECORDS) * 2 // 3
    early = [record for number, record in enumerate(RECORDS[:end]) if number % 50]
    models.add(early)
    models.build("--exclude-resource-type", "test")
    models.add(record for number, record in enumerate(RECORDS) if number >= end or not number % 50)
    models.ask("UPDATE events SET family = 'erased', player = NULL WHERE player = 'player7'")
    models.build()
    return models, Expected(record for record in RECORDS if record["player"] != "player7")


def test_the_history_has_what_makes_models_inexact() -> None:
    """It has retries, events that arrive weeks late, sessions across midnight, and gaps of exactly half an hour."""
    expected = Expected(RECORDS)
    assert len(expected.events) < len(RECORDS)
    assert max((event["received_at"] - event["at"]).days for event in expected.events) == 40
    assert any(since.date() < until.date() for _, since, until, _ in expected.sessions())
    assert any(until - since == (until - since) // 1800 * 1800 for _, since, until, _ in expected.sessions())


def test_sessions(loaded: tuple[Models, Expected]) -> None:
    """A pause of more than 30 minutes ends a session, wherever its events arrive."""
    models, expected = loaded
    rows = models.ask("SELECT player, started_at, ended_at, events FROM models.sessions")
    assert Counter((p, since.replace(tzinfo=UTC), until.replace(tzinfo=UTC), n) for p, since, until, n in rows) == (
        expected.sessions()
    )


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_active_players(loaded: tuple[Models, Expected], period: str) -> None:
    """A player is active in the UTC day, the week from Monday and the month of an event; new in those of the first."""
    models, expected = loaded
    rows = models.ask(f"SELECT since, players, new_players FROM models.active_players WHERE period = '{period}'")
    assert {since: (players, new) for since, players, new in rows} == expected.active(period)


def test_new_players(loaded: tuple[Models, Expected]) -> None:
    """Each player is new once, with the first platform stated."""
    models, expected = loaded
    rows = models.ask("SELECT day, platform, sum(players) FROM models.new_players GROUP BY 1, 2")
    first = Counter(
        (expected.first_day(player), next((one["platform"] for one in events if one.get("platform")), None))
        for player, events in expected.players.items()
    )
    assert {(day, platform): number for day, platform, number in rows} == first


def test_retention(loaded: tuple[Models, Expected]) -> None:
    """Each cohort has a row for each of its first 30 days that has come, also when nobody was active."""
    models, expected = loaded
    rows = models.ask("SELECT cohort, day_number, size, players FROM models.retention")
    assert {(cohort, age): (size, players) for cohort, age, size, players in rows} == expected.retention()


def test_funnel(loaded: tuple[Models, Expected]) -> None:
    """A player reaches a step in order, and within a week of the first one."""
    models, expected = loaded
    assert [n for [n] in models.ask("SELECT players FROM models.funnel ORDER BY step")] == expected.funnel()


def test_purchases(loaded: tuple[Models, Expected]) -> None:
    """Each player has their number of purchases, what they paid, and the time to the first one, to the millisecond."""
    models, expected = loaded
    rows = models.ask("SELECT player, purchases, revenue, seconds_to_purchase FROM models.players")
    assert {player: tuple(values) for player, *values in rows} == expected.purchases()


def test_economy(loaded: tuple[Models, Expected]) -> None:
    """What is added and removed is what the world adds and removes."""
    models, expected = loaded
    rows = models.ask("SELECT day, name, event_type, added, removed FROM models.economy")
    assert {(day, name, kind): (added, removed) for day, name, kind, added, removed in rows} == expected.economy()


def test_experiments(loaded: tuple[Models, Expected]) -> None:
    """Players count who saw one variant and no other; conversion is in the week after they first saw it."""
    models, expected = loaded
    rows = models.ask("SELECT variant, assigned, exposed, converted FROM models.experiments")
    assert {variant: tuple(numbers) for variant, *numbers in rows} == expected.experiment()


def test_lift(loaded: tuple[Models, Expected]) -> None:
    """The lift's interval is Newcombe's, as in the example of 1998: 56/70 less 48/80 is 0.0524 to 0.3339."""
    models, _ = loaded
    [compiled] = (models.folder / "target/compiled/gamelake/models").glob("experiments.sql")
    query = compiled.read_text().replace('"lake"."models"."experiment_players"', "paper")
    players = " UNION ALL ".join(
        f"SELECT 'e' AS experiment, '{variant}' AS variant, 1 AS variants, 1 AS exposed_at,"
        f" CASE WHEN n < {converted} THEN 1 END AS converted_at FROM range({number}) AS t (n)"
        for variant, converted, number in (("new", 56, 70), ("control", 48, 80))
    )
    rows = models.ask(
        f"WITH paper AS ({players}) SELECT lift, lift_low, lift_high FROM ({query}) WHERE variant = 'new'"
    )
    assert rows == [(pytest.approx(0.2), pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))]


def test_item_rules() -> None:
    """The seed is the contract's: `make contract` writes it."""
    lines = [",".join(map(str, row)) for row in (HEADER, *item_rules())]
    assert (PROJECT / "seeds/item_rules.csv").read_text().splitlines() == lines
