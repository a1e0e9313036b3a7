"""Measure the API, the jobs and Trino, compared with what people usually build, and write docs/benchmarks.md.

Starts servers of its own, on free loopback ports and with their data in a temporary directory, and stops them. All
measurements take more than an hour; `--only` chooses some, and the other sections of the document keep their results.
A run that fails or is interrupted prints what it has measured, and changes no file.
"""

import argparse
import sys
from collections.abc import Sequence

from testbed.bench.cost import BenchError
from testbed.bench.document import record
from testbed.bench.measurements import MEASUREMENTS
from testbed.bench.report import Compared, Row, machine, table
from testbed.bench.traffic import RETRIED_EVERY
from testbed.command_line import exit_code
from testbed.results.run import Run
from testbed.settings import SettingsError
from testbed.stack.stack import StackError

_KEYED = "Half of the events carry an Idempotency-Key."
_FEW = f"At most one in {RETRIED_EVERY} is a retry."
_NONE = "None is a retry."
# What the API is compared with would write a retry again; freshness waits for every event.
_RETRIES = {"api": _NONE, "freshness": _NONE}


def main() -> int:
    options = _options()
    return exit_code(lambda: _measure(options), BenchError, SettingsError, StackError, TimeoutError)


def _measure(options: argparse.Namespace) -> int:
    run = Run.begin("testbed.bench")
    measured: dict[str, Sequence[Row | Compared]] = {}
    try:
        for name in options.only:
            measured[name] = MEASUREMENTS[name](options)
    finally:
        if rows := [row for each in measured.values() for row in each]:
            print(f"\n{table(rows)}\n\n{machine()}.\n", flush=True)
    record(run, measured, _notes(options))
    return 0


def _notes(options: argparse.Namespace) -> dict[str, str]:
    """Say for each measurement what share of its events is keyed, and how many rounds there were if they alternate."""
    counts = {
        "api": (options.rounds, f" of {options.seconds:g} s for each server"),
        "batch": (options.batch_rounds, ""),
        "stream": (options.stream_rounds, ""),
        "queries": (options.query_rounds, ""),
        "dashboard": (options.query_rounds, ""),
        "scale": (options.scale_rounds, ""),
    }
    rounds = {name: f" Medians of {count} alternated rounds{length}." for name, (count, length) in counts.items()}
    return {name: f"{_KEYED} {_RETRIES.get(name, _FEW)}{rounds.get(name, '')}" for name in MEASUREMENTS}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m testbed.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=MEASUREMENTS,
        default=list(MEASUREMENTS),
        metavar="NAME",
        help=f"measure only these: {', '.join(MEASUREMENTS)} (default: all)",
    )
    count = _positive
    for flag, kind, default, purpose in (
        ("--rounds", count, 5, "rounds of the API"),
        ("--seconds", float, 5, "seconds of load on each server in a round of the API"),
        ("--connections", count, 32, "concurrent connections to the API"),
        ("--warm-up-seconds", float, 8, "seconds of load on each server of the API's rounds before the first"),
        (
            "--crowd-seconds",
            float,
            10,
            "seconds in a round of the API with 1,000 connections and a slow broker",
        ),
        ("--batch-rounds", count, 5, "rounds of the batch job"),
        ("--events", count, 1_000_000, "events in each round of the batch job"),
        ("--stream-rounds", count, 5, "rounds of the stream"),
        ("--stream-events", count, 1_000_000, "events in each round of the stream"),
        ("--rate", count, 200, "events per second while freshness is measured"),
        ("--trigger-seconds", count, 2, "seconds between the stream's batches while freshness is measured"),
        ("--freshness-seconds", float, 120, "seconds for which freshness is measured"),
        ("--query-rounds", count, 5, "rounds of the queries and of the dashboard"),
        ("--rows", count, 5_000_000, "rows in the queried tables"),
        ("--runs", count, 192, "job runs whose files hold those rows"),
        ("--dashboard-rows", count, 100_000_000, "rows on settled days that the dashboard shows"),
        ("--scale-rounds", count, 5, "rounds on the table with a long history"),
        ("--scale-days", count, 365, "days of that history"),
        ("--world-events", count, 500_000, "events that the world's store is rebuilt from"),
        ("--small-batches", count, 360, "small batches that the stream writes before maintenance (an hour's)"),
    ):
        parser.add_argument(flag, type=kind, default=default, metavar="N", help=f"{purpose} (default: %(default)s)")
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
