"""The same queries on our table, on the old layout and in DuckDB, in alternated rounds."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.bench import traffic
from testbed.bench.cost import BenchError, cpu_seconds, run_module
from testbed.bench.jobs import Cost
from testbed.bench.questions import OLD, OURS
from testbed.bench.sql import Connection, connect
from testbed.settings import ROOT
from testbed.stack.programs import hdfs_environment, spark_job
from testbed.stack.stack import Stack

LAYOUTS_JOB = "../hack/testbed/bench/layouts_job.py"
OLD_FOLDER = "/old"
WARM_UP_ROUNDS = 10
"""Trino starts cold: without them, the first queries would pay for its JIT compilation."""


@dataclass(frozen=True)
class Measured:
    """A query, and its cost on each layout."""

    query: str
    ours: Cost
    old: Cost
    duck: Cost


Round = list[Measured]


@dataclass(frozen=True)
class Files:
    ours: int
    old: int


class QueriesBench:
    def __init__(self, stack: Stack, rows: int, runs: int) -> None:
        self._stack = stack
        self._folder = stack.settings.data / "files"
        self._rows = rows
        self._runs = runs

    def fill(self) -> Files:
        """Fill both layouts, compact ours, and fetch its files for DuckDB; return the number of files of each."""
        print(f"writing {self._rows} rows into both layouts", flush=True)
        templates = json.dumps(traffic.examples())
        layouts = (LAYOUTS_JOB, templates, str(self._rows), str(self._runs), OLD_FOLDER)
        self._stack.run(spark_job(self._stack.settings, "bench-layouts", *layouts))
        self._stack.run(spark_job(self._stack.settings, "bench-tables", "tables.py"))
        self._stack.run(spark_job(self._stack.settings, "bench-maintain", "maintain.py"), echo=True)
        with connect(self._stack.settings) as ours, connect(self._stack.settings, "old") as old:
            paths = [path for (path,) in ours.run('SELECT file_path FROM lake.default."events$files"').rows]
            [[old_files]] = old.run('SELECT count(DISTINCT "$path") FROM purchases').rows
        self._fetch(paths)
        return Files(len(paths), int(old_files))

    def rounds(self, count: int) -> list[Round]:
        with connect(self._stack.settings) as ours, connect(self._stack.settings, "old") as old:
            for _ in range(WARM_UP_ROUNDS):
                for query, old_query in zip(OURS, OLD, strict=True):
                    old.run(old_query)
                    ours.run(query)
            rounds = []
            for number in range(1, count + 1):
                one = self._round(ours, old)
                rounds.append(one)
                print(f"queries round {number} of {count}: {_summary(one)}", flush=True)
            return rounds

    def _fetch(self, paths: Sequence[str]) -> None:
        self._folder.mkdir()
        command = [str(ROOT / "images/hdfs/run"), "dfs", "-get", *paths, str(self._folder)]
        subprocess.run(command, env=hdfs_environment(self._stack.settings), check=True, stderr=subprocess.DEVNULL)

    def _round(self, ours: Connection, old: Connection) -> Round:
        duck = run_module("duck", self._folder, timeout=300)
        measured = []
        for query, old_query in zip(OURS, OLD, strict=True):
            old_cost, old_rows = self._cost(old, old_query)
            our_cost, our_rows = self._cost(ours, query)
            one = duck[query]
            check_equal(query, our_rows, old_rows, one["rows"])
            measured.append(Measured(query, our_cost, old_cost, Cost(one["seconds"], one["cpu"])))
        return measured

    def _cost(self, trino: Connection, query: str) -> tuple[Cost, list[list[Any]]]:
        """Run a query; the cost is that of the whole Trino process, so it includes its background work."""
        pid = self._stack["trino"].pid
        if pid is None:
            raise BenchError(f"Trino died. The end of its log:\n{self._stack['trino'].last_lines()}")
        before = cpu_seconds(pid)
        result = trino.run(query)
        return Cost(result.seconds, cpu_seconds(pid) - before), result.rows


def check_equal(query: str, *results: list[list[Any]]) -> None:
    """Raise BenchError unless all results are equal; the order of rows does not matter."""
    # With a limit, any rows may be returned: only their number is compared.
    shown: Callable[[list[list[Any]]], object] = len if " limit " in query else _shown
    if len({str(shown(result)) for result in results}) > 1:
        raise BenchError(f"{query}: expected equal results, got {[shown(result) for result in results]}")


def _shown(rows: list[list[Any]]) -> list[list[str]]:
    # Up to the hour: engines format the time zone differently.
    return sorted([str(value)[:13] for value in row] for row in rows)


def _summary(one: Round) -> str:
    ours, old, duck = (sum(getattr(query, who).cpu for query in one) for who in ("ours", "old", "duck"))
    return f"{ours:.2f} s CPU to {old:.2f} s of the old layout, DuckDB {duck:.2f} s"
