"""The rows of the jobs and of Trino in the table."""

from collections.abc import Callable, Sequence
from statistics import median

from testbed.bench import jobs, queries
from testbed.bench.freshness import Freshness
from testbed.bench.jobs import Load
from testbed.bench.maintenance import Maintained, State
from testbed.bench.queries import DUCK, OURS, PEERS, TYPED_FILES, VARCHAR, Files, total
from testbed.bench.report import Compared, Row, middle, ratios, spread

STREAM_TARGET = 1.0
FRESH_P50 = 2.5
FRESH_P99 = 5
LIVE_P99 = 1.5
VARCHAR_TARGET = 3
DUCK_TARGET = 2.0
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


def freshness_rows(measured: Freshness, rate: int, trigger_seconds: int) -> list[Row]:
    return [
        Row(
            f"acknowledged to visible in Trino, p50 / p99 / most, {rate} events/s, {measured.events:,} events, "
            f"a batch every {trigger_seconds} s",
            f"{measured.p50:.2f} / {measured.p99:.2f} / {measured.most:.2f} s",
            f"a batch takes {measured.batch:.1f} s, Trino answers every {measured.pause:.2f} s",
            target=f"p50 at most {FRESH_P50} s, p99 at most {FRESH_P99} s",
            met=measured.p50 <= FRESH_P50 and measured.p99 <= FRESH_P99,
        )
    ]


def live_row(measured: Freshness, rate: int, trigger_seconds: int) -> Row:
    return Row(
        f"acknowledged to visible in a live view, p50 / p99 / most, {rate} events/s, {measured.events:,} events, "
        f"a batch every {trigger_seconds} s",
        f"{measured.p50:.2f} / {measured.p99:.2f} / {measured.most:.2f} s",
        f"Trino answers every {measured.pause:.2f} s",
        target=f"p99 at most {LIVE_P99} s",
        met=measured.p99 <= LIVE_P99,
    )


def queries_rows(rounds: Sequence[queries.Round], rows: int, files: Files) -> list[Row | Compared]:
    """Return a row for each question with a column for each peer, and one for each ratio of all of them together."""
    each = [_compared(measured.name, [[one[number]] for one in rounds]) for number, measured in enumerate(rounds[0])]
    together = f"CPU of all {len(each)} together, {rows:,} rows in {files.ours} files"
    ours = middle(rounds, lambda r: total(r, OURS).cpu)

    def against(who: str, what: str, target: str = "", limit: float | None = None) -> Row:
        found = ratios(rounds, lambda r: total(r, OURS).cpu / total(r, who).cpu)
        theirs = middle(rounds, lambda r: total(r, who).cpu)
        met = median(found) <= limit if limit else None
        return Row(together, f"{ours:.2f} s", f"{theirs:.2f} s, {what}", spread(found), target, met)

    return [
        *each,
        _compared(f"all {len(each)} together", rounds),
        against(DUCK, "DuckDB on the same files, fetched beforehand", f"at most {DUCK_TARGET}x", DUCK_TARGET),
        against(TYPED_FILES, f"the same table before maintenance, {files.typed:,} files"),
        against(
            VARCHAR,
            f"all varchar, {files.old:,} files a family",
            f"{VARCHAR_TARGET}x less CPU",
            1 / VARCHAR_TARGET,
        ),
    ]


def _compared(what: str, rounds: Sequence[queries.Round]) -> Compared:
    return Compared(what, {f"{who}, CPU / wall s": _cost(rounds, who) for who in PEERS})


def _cost(rounds: Sequence[queries.Round], who: str) -> str:
    cpu, seconds = middle(rounds, lambda r: total(r, who).cpu), middle(rounds, lambda r: total(r, who).seconds)
    return f"{cpu:.2f} / {seconds:.2f}"


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
