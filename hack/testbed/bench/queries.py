"""The same questions to our table, to it before maintenance, to the old layout and to DuckDB, in alternated rounds."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from game_events import EVENT_TYPES, REJECTED
from game_events.table import family_query, rejected_query
from lake.settings import EVENTS

from testbed.bench import traffic
from testbed.bench.cost import BenchError, cpu_seconds, run_module
from testbed.bench.jobs import Cost
from testbed.bench.layouts_job import Filling
from testbed.bench.questions import DAYS, FAMILIES, NAMES, TEXT, TYPED, questions
from testbed.bench.sql import Connection, connect
from testbed.settings import ROOT
from testbed.stack.hdfs import hdfs_environment
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

LAYOUTS_JOB = "../hack/testbed/bench/layouts_job.py"
OLD_FOLDER = "/old"
WARM_UP_ROUNDS = 5
"""Trino starts cold: without them, the first queries would pay for its JIT compilation."""
OURS, TYPED_FILES, VARCHAR, DUCK = "gamelake", "typed, not compacted", "all varchar", "DuckDB"
PEERS = (OURS, TYPED_FILES, VARCHAR, DUCK)
"""Our table; the same table before maintenance; the old layout; DuckDB on the files of our table."""
_SCHEMAS = {VARCHAR: "old", TYPED_FILES: "typed", OURS: "default"}
REJECTED_ROW = {"family": REJECTED, "error": "value: expected a JSON object", "raw_value": "not json"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:")


@dataclass(frozen=True)
class Measured:
    """A question, and what it cost each of PEERS."""

    name: str
    costs: Mapping[str, Cost]


Round = list[Measured]


@dataclass(frozen=True)
class Files:
    """Data files of `events` after and before maintenance, and of one family of the old layout."""

    ours: int
    typed: int
    old: int


def filling(first: date, rows: int, runs: int) -> Filling:
    """Return the rows that the questions ask about: DAYS days from `first`, half of them keyed, with a few retries."""
    asked = (one for one in traffic.examples() if EVENT_TYPES[one["event_type"]].family in FAMILIES)
    templates = [*traffic.templates(asked), REJECTED_ROW]
    return Filling(templates, rows, runs, first.isoformat(), DAYS, traffic.PLAYERS, traffic.RETRIED_EVERY)


class QueriesBench:
    def __init__(self, stack: Stack, rows: int, runs: int) -> None:
        self._stack = stack
        self._folder = stack.settings.data / "files"
        # Not yesterday: maintenance treats it as a day that still gets rows during the first hour of today.
        self._first = datetime.now(UTC).date() - timedelta(days=DAYS + 1)
        self._filling = filling(self._first, rows, runs)

    def fill(self) -> Files:
        """Fill both layouts, compact ours, and fetch its files for DuckDB."""
        print(f"writing {self._filling.rows} rows into both layouts", flush=True)
        self._stack.run(
            spark_job(self._stack.settings, "bench-layouts", LAYOUTS_JOB, self._filling.to_json(), OLD_FOLDER)
        )
        with connect(self._stack.settings) as trino, connect(self._stack.settings, "old") as old:
            before = len(_paths(trino))
            _create_typed(trino)
            self._stack.run(spark_job(self._stack.settings, "bench-tables", "tables.py"))
            self._stack.run(spark_job(self._stack.settings, "bench-maintain", "maintain.py"), echo=True)
            paths = _paths(trino)
            [[old_files]] = old.run('SELECT count(DISTINCT "$path") FROM purchases').rows
        self._fetch(paths)
        return Files(len(paths), before, int(old_files))

    def rounds(self, count: int, warm_up: int = WARM_UP_ROUNDS) -> list[Round]:
        with ExitStack() as connections:
            peers = {
                name: connections.enter_context(connect(self._stack.settings, schema))
                for name, schema in _SCHEMAS.items()
            }
            for number in range(1, warm_up + 1):
                for name in NAMES:
                    for who, trino in peers.items():
                        # Its queries take minutes: one round of them is enough.
                        if who != TYPED_FILES or number == 1:
                            trino.run(self.asked(who)[name])
                print(f"queries warm-up {number} of {warm_up}", flush=True)
            rounds = []
            for number in range(1, count + 1):
                one = self._round(peers)
                rounds.append(one)
                print(f"queries round {number} of {count}: {_summary(one)}", flush=True)
            return rounds

    def asked(self, who: str) -> Mapping[str, str]:
        """Return the questions as this one of PEERS is asked."""
        return questions(TEXT if who == VARCHAR else TYPED, self._first, traffic.player(123))

    def _fetch(self, paths: Sequence[str]) -> None:
        self._folder.mkdir()
        command = [str(ROOT / "images/hdfs/run"), "dfs", "-get", *paths, str(self._folder)]
        subprocess.run(command, env=hdfs_environment(self._stack.settings), check=True, stderr=subprocess.DEVNULL)

    def _round(self, peers: Mapping[str, Connection]) -> Round:
        duck = run_module("duck", self._folder, timeout=600, given=json.dumps(self.asked(DUCK)))
        measured = []
        for name in NAMES:
            answers = {who: self._cost(trino, self.asked(who)[name]) for who, trino in peers.items()}
            answers[DUCK] = Cost(duck[name]["seconds"], duck[name]["cpu"]), duck[name]["rows"]
            check_equal(name, {who: rows for who, (_, rows) in answers.items()})
            measured.append(Measured(name, {who: cost for who, (cost, _) in answers.items()}))
        return measured

    def _cost(self, trino: Connection, query: str) -> tuple[Cost, list[list[Any]]]:
        """Run a query; the cost is that of the whole Trino process, so it includes its background work."""
        pid = self._stack["trino"].pid
        if pid is None:
            raise BenchError(f"Trino died. The end of its log:\n{self._stack['trino'].last_lines()}")
        before = cpu_seconds(pid)
        result = trino.run(query)
        return Cost(result.seconds, cpu_seconds(pid) - before), result.rows


def total(queried: Round, who: str) -> Cost:
    """Return what all questions together cost one of PEERS."""
    costs = [one.costs[who] for one in queried]
    return Cost(sum(one.seconds for one in costs), sum(one.cpu for one in costs))


def check_equal(name: str, results: Mapping[str, list[list[Any]]]) -> None:
    """Raise BenchError unless all have the same rows; their order does not matter, except through a LIMIT."""
    shown = {who: _shown(rows) for who, rows in results.items()}
    if len({str(rows) for rows in shown.values()}) > 1:
        raise BenchError(f"{name}: expected equal results, got {shown}")
    if not any(shown.values()):
        raise BenchError(f"{name}: expected rows, got none")


def _shown(rows: list[list[Any]]) -> list[list[str]]:
    return sorted([_as_text(value) for value in row] for row in rows)


def _as_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    text = str(value)
    # Up to the hour: engines format the time zone and fractions of a second differently.
    return text[:13] if _TIME.match(text) else text


def _paths(trino: Connection) -> list[str]:
    return [path for (path,) in trino.run('SELECT file_path FROM lake.default."events$files"').rows]


def _create_typed(trino: Connection) -> None:
    """Create schema `typed`: views of the table as it is now, whatever maintenance does afterwards."""
    [[snapshot]] = trino.run(
        'SELECT snapshot_id FROM lake.default."events$snapshots" ORDER BY committed_at DESC LIMIT 1'
    ).rows
    events = f"{EVENTS} FOR VERSION AS OF {snapshot}"
    trino.run("CREATE SCHEMA IF NOT EXISTS hive.typed")
    views = {family: family_query(family, events) for family in FAMILIES} | {"rejected_events": rejected_query(events)}
    for name, query in views.items():
        trino.run(f"CREATE VIEW hive.typed.{name} SECURITY INVOKER AS {query}")


def _summary(one: Round) -> str:
    return "s CPU, ".join(f"{who} {total(one, who).cpu:.2f} " for who in PEERS) + "s CPU"
