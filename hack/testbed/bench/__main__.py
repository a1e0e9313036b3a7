"""Measure the API, the jobs and Trino, side by side with what people pick instead, and print a table in Markdown.

Takes minutes. Starts servers of its own, on free loopback ports and with data in a temporary directory, and stops them.
"""

import argparse
import signal
import sys

from testbed.bench.cost import BenchError
from testbed.bench.measurements import MEASUREMENTS
from testbed.bench.report import Row, machine, table
from testbed.settings import SettingsError
from testbed.stack.stack import StackError


def main() -> int:
    options = _options()
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rows: list[Row] = []
    try:
        for name in options.only:
            rows += MEASUREMENTS[name](options)
    except (BenchError, SettingsError, StackError, TimeoutError) as error:
        print(f"{_results(rows, options)}error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{_results(rows, options)}interrupted", file=sys.stderr)
        return 130
    print(_results(rows, options), end="")
    return 0


def _results(rows: list[Row], options: argparse.Namespace) -> str:
    """What there is so far."""
    if not rows:
        return ""
    rounds = {
        "api": f"{options.rounds} of the API, {options.seconds:g} s each turn",
        "batch": f"{options.batch_rounds} of the batch job",
        "stream": f"{options.stream_rounds} of the stream",
        "queries": f"{options.query_rounds} of the queries",
    }
    alternated = "; ".join(said for name, said in rounds.items() if name in options.only)
    medians = f"Medians of alternated rounds ({alternated}), in brackets the least and most ratio.\n"
    return f"\n{table(rows)}\n\n{medians if alternated else ''}{machine()}.\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m testbed.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS), help="these, not all")
    count = _positive
    for flag, kind, default, said in (
        ("--rounds", count, 5, "of the API"),
        ("--seconds", float, 5, "of load in each turn of the API"),
        ("--connections", count, 32, "to the API at once"),
        ("--batch-rounds", count, 5, "of the batch job"),
        ("--events", count, 1_000_000, "of each batch round"),
        ("--stream-rounds", count, 5, "of the stream"),
        ("--stream-events", count, 1_000_000, "of each stream round"),
        ("--rate", count, 200, "events/s while freshness is watched"),
        ("--freshness-seconds", float, 120, "of that"),
        ("--query-rounds", count, 5, "of the queries"),
        ("--rows", count, 5_000_000, "that are queried"),
        ("--runs", count, 192, "of the jobs that left those rows' files"),
        ("--small-batches", count, 360, "of the stream before maintenance: an hour's"),
    ):
        parser.add_argument(flag, type=kind, default=default, help=f"{said} (%(default)s)")
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
