"""The rows of the jobs and of Trino in the table."""

from collections.abc import Callable, Sequence
from statistics import median

from testbed.bench import jobs, queries
from testbed.bench.freshness import Freshness
from testbed.bench.jobs import Cost, Load
from testbed.bench.maintenance import Maintained, State
from testbed.bench.queries import Files
from testbed.bench.report import Row, middle, ratios, spread

STREAM_TARGET = 0.6
FRESH_P50 = 7
FRESH_P99 = 13
CPU_TARGET = 3
FILES_TARGET = 60
PLAN_TARGET_MS = 300


def batch_rows(rounds: Sequence[jobs.Round]) -> list[Row]:
    row = _against_plain("batch job", rounds)
    return [
        row("events/s per core", lambda load: load.events_per_core),
        row("events/s per core without Spark's start-up", lambda load: load.events_per_core_started),
        row(f"events/s, start to end, {rounds[0].ours.events:,} events", lambda load: load.events_per_second),
    ]


def stream_rows(rounds: Sequence[jobs.Round]) -> list[Row]:
    row = _against_plain("stream's catch-up", rounds)
    started = f"events/s, first batch to last commit, {rounds[0].ours.events:,} events"
    return [
        row(started, lambda load: load.events_per_second_started, STREAM_TARGET),
        row("events/s per core, first batch to last commit", lambda load: load.events_per_core_started),
        row("events/s, Spark's start-up included", lambda load: load.events_per_second),
        row("events/s per core, Spark's start-up included", lambda load: load.events_per_core),
    ]


def _against_plain(who: str, rounds: Sequence[jobs.Round]) -> Callable[..., Row]:
    def row(what: str, figure: Callable[[Load], float], target: float | None = None) -> Row:
        ours, plain = middle(rounds, lambda r: figure(r.ours)), middle(rounds, lambda r: figure(r.plain))
        found = ratios(rounds, lambda r: figure(r.ours) / figure(r.plain))
        return Row(
            f"{who}, {what}",
            f"{ours:,.0f}",
            f"{plain:,.0f}, a Spark batch, from_json into plain Parquet",
            spread(found),
            f"at least {target}x" if target else "",
            median(found) >= target if target else None,
        )

    return row


def freshness_rows(measured: Freshness, rate: int) -> list[Row]:
    return [
        Row(
            f"acknowledged to visible in Trino, p50 / p99 / most, {rate} events/s, {measured.events:,} events",
            f"{measured.p50:.1f} / {measured.p99:.1f} / {measured.most:.1f} s",
            f"a batch takes {measured.batch:.1f} s, Trino answers every {measured.pause:.2f} s",
            target=f"p50 at most {FRESH_P50} s, p99 at most {FRESH_P99} s",
            met=measured.p50 <= FRESH_P50 and measured.p99 <= FRESH_P99,
        )
    ]


def queries_rows(rounds: Sequence[queries.Round], rows: int, files: Files) -> list[Row]:
    """Return a row for each query, one for all of them together, and one for DuckDB, the upper limit."""
    old = f"all-varchar, {files.old:,} files a family"
    each = [
        _query_row(f"`{measured.query}`", [[one[number]] for one in rounds], old)
        for number, measured in enumerate(rounds[0])
    ]
    together = _query_row(f"all {len(each)} together, {rows:,} rows, {files.ours} files", rounds, old, CPU_TARGET)
    ours, duck = middle(rounds, lambda r: _sum(r, "ours").cpu), middle(rounds, lambda r: _sum(r, "duck").cpu)
    limit = Row(
        "all together, the upper limit",
        f"{ours:.2f} s CPU",
        f"{duck:.2f} s CPU, DuckDB on the same files, fetched beforehand",
        spread(ratios(rounds, lambda r: _sum(r, "ours").cpu / _sum(r, "duck").cpu)),
    )
    return [*each, together, limit]


def _query_row(what: str, rounds: Sequence[queries.Round], old: str, target: float | None = None) -> Row:
    found = ratios(rounds, lambda r: _sum(r, "ours").cpu / _sum(r, "old").cpu)
    return Row(
        f"Trino, {what}",
        _cost(rounds, "ours"),
        f"{_cost(rounds, 'old')}, {old}",
        spread(found),
        f"{target}x less CPU" if target else "",
        median(found) <= 1 / target if target else None,
    )


def _cost(rounds: Sequence[queries.Round], who: str) -> str:
    cpu, seconds = middle(rounds, lambda r: _sum(r, who).cpu), middle(rounds, lambda r: _sum(r, who).seconds)
    return f"{cpu:.2f} s CPU in {seconds:.2f} s"


def _sum(queried: queries.Round, who: str) -> Cost:
    costs: list[Cost] = [getattr(one, who) for one in queried]
    return Cost(sum(one.seconds for one in costs), sum(one.cpu for one in costs))


def maintenance_rows(measured: Maintained) -> list[Row]:
    def planning(state: State) -> str:
        return f"{state.plan_ms:.0f} / {state.most_ms} ms"

    before, after = measured.before, measured.after
    return [
        Row(
            "files of a day, after maintenance",
            f"{after.files:,}",
            f"{before.files:,} before, of {measured.batches:,} batches",
            f"{after.files / before.files:.2f}",
            f"at most {FILES_TARGET}",
            after.files <= FILES_TARGET,
        ),
        Row(
            "Trino's planning, median / most, after maintenance",
            planning(after),
            f"{planning(before)} before",
            f"{after.plan_ms / before.plan_ms:.2f}",
            f"under {PLAN_TARGET_MS} ms",
            after.plan_ms < PLAN_TARGET_MS,
        ),
    ]
