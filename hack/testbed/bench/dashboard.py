"""The dashboard's queries over rollups, compared with the same queries over all events, in alternated rounds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from game_api.pages.queries import QUERIES
from game_api.pages.query_cache import Rows
from game_api.pages.rolled import METADATA, query
from game_api.pages.trino_query import run_query

from testbed.bench import traffic
from testbed.bench.layouts_job import Filling
from testbed.bench.queries import REJECTED_ROW, check_equal
from testbed.bench.report import Row, middle, ratios, spread
from testbed.bench.sql import Connection, connect
from testbed.settings import ROOT
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

SERVERS = ("namenode", "datanode", "metastore", "trino")
DAYS = 30
"""That are settled, until two hours ago."""
_UNDECIDED = timedelta(hours=2)
"""An hour is decided once it is over."""
TARGET_MS = 300
_JOB = "../hack/testbed/bench/dashboard_job.py"
_RUNS = 96
"""Of a job, whose files hold the settled rows."""
_UNDECIDED_RUNS = 24
_WARM_UP_ROUNDS = 5
_WHAT_SNAPSHOTS_SAY = "what the snapshots say"

Round = Mapping[str, tuple[float, float]]
"""By query: the seconds over rollups, and those over all events (0 where it is the same query)."""


def fill(stack: Stack, rows: int) -> None:
    """Fill the table with so many settled rows, and with undecided ones of the last hours at the same rate."""
    print(f"writing {rows:,} rows", flush=True)
    end = datetime.now(UTC).replace(tzinfo=None) - _UNDECIDED
    start = end - timedelta(days=DAYS)
    templates = [*traffic.templates(traffic.examples()), REJECTED_ROW]
    settled = Filling(templates, rows, _RUNS, start.isoformat(), DAYS, traffic.PLAYERS, traffic.RETRIED_EVERY)
    days = _UNDECIDED / timedelta(days=1)
    newest = replace(settled, rows=_undecided(rows), runs=_UNDECIDED_RUNS, start=end.isoformat(), days=days)
    job = spark_job(stack.settings, "bench-dashboard", _JOB, settled.to_json(), newest.to_json())
    # The job has modules of its own.
    stack.run(replace(job, environment=job.environment | {"PYTHONPATH": str(ROOT / "hack")}), echo=True)
    stack.run(spark_job(stack.settings, "bench-tables", "tables.py"))


def _undecided(rows: int) -> int:
    return rows * _UNDECIDED // timedelta(days=DAYS)


def measure(stack: Stack, rounds: int) -> list[Round]:
    with connect(stack.settings) as trino:
        queries = _queries(run_query(stack.settings.trino("dashboard"), METADATA))
        for number in range(_WARM_UP_ROUNDS):
            _round(trino, queries, with_all=not number)
        return [_round(trino, queries) for _ in range(rounds)]


def _queries(metadata: Rows) -> dict[str, tuple[str, str]]:
    """Return each query as the dashboard runs it, and over all events."""
    over_rollups = {name: query(name, metadata) for name in QUERIES if name != "activity"}
    return {
        _WHAT_SNAPSHOTS_SAY: (METADATA, ""),
        "activity": (QUERIES["activity"], ""),
        **{name: (text, QUERIES[name]) for name, text in over_rollups.items()},
    }


def _round(trino: Connection, queries: Mapping[str, tuple[str, str]], *, with_all: bool = True) -> Round:
    seconds = {}
    for name, (rolled, plain) in queries.items():
        ours = trino.run(rolled)
        if not plain or not with_all:
            seconds[name] = ours.seconds, 0.0
            continue
        theirs = trino.run(plain)
        check_equal(name, {"over rollups": ours.rows, "over all events": theirs.rows})
        seconds[name] = ours.seconds, theirs.seconds
    return seconds


def rows(rounds: Sequence[Round], count: int) -> list[Row]:
    return list(_rows(rounds, count))


def _rows(rounds: Sequence[Round], count: int) -> Iterator[Row]:
    target, of = f"at most {TARGET_MS} ms", f"{count:,} settled rows of {DAYS} days, {_undecided(count):,} undecided"
    for name in rounds[0]:
        ours, theirs = middle(rounds, lambda one: one[name][0]), middle(rounds, lambda one: one[name][1])  # noqa: B023
        yield Row(
            f"{name}, {of}",
            f"{1000 * ours:,.0f} ms",
            f"{1000 * theirs:,.0f} ms, over all events" if theirs else "",
            spread(ratios(rounds, lambda one: one[name][0] / one[name][1])) if theirs else "",  # noqa: B023
            target,
            1000 * ours <= TARGET_MS,
        )
