"""Measure the API and the batch job, side by side with what people pick instead, and print a table in Markdown.

Takes minutes. Starts servers of its own, on free loopback ports and with data in a temporary directory, and stops them.
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from local.settings import Settings, SettingsError
from local.stack import Stack, StackError

from bench import batch
from bench.api import ApiBench
from bench.cost import BenchError
from bench.report import Row, api_rows, batch_rows, machine, table


def main() -> int:
    options = _options()
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rows: list[Row] = []
    try:
        if options.only != "batch":
            rows += _api(options)
        if options.only != "api":
            rows += _batch(options)
    except (BenchError, SettingsError, StackError, TimeoutError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    rounds = []
    if options.only != "batch":
        rounds.append(f"{options.rounds} of the API, {options.seconds:g} s each turn")
    if options.only != "api":
        rounds.append(f"{options.batch_rounds} of the batch job")
    print(
        f"\n{table(rows)}\n\nMedians of alternated rounds ({'; '.join(rounds)}), in brackets the least and most ratio."
    )
    print(f"{machine()}.")
    return 0


def _api(options: argparse.Namespace) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="gamelake-bench-") as folder:
        stack = Stack(Settings.isolated(Path(folder)))
        try:
            stack.up(["kafka", "api"])
            bench = ApiBench(stack, options.seconds, options.connections)
            rounds = bench.rounds(options.rounds)
            return api_rows(rounds, bench.memory(), options.connections)
        finally:
            stack.down()


def _batch(options: argparse.Namespace) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="gamelake-bench-") as folder:
        stack = Stack(Settings.isolated(Path(folder)))
        try:
            stack.up(batch.SERVERS)
            return batch_rows(batch.BatchBench(stack, options.events).rounds(options.batch_rounds))
        finally:
            stack.down()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=["api", "batch"], help="one of the two, not both")
    parser.add_argument("--rounds", type=_positive, default=5, help="of the API (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of load in each turn (%(default)s)")
    parser.add_argument("--connections", type=_positive, default=32, help="at once (%(default)s)")
    parser.add_argument("--batch-rounds", type=_positive, default=3, help="of the batch job (%(default)s)")
    parser.add_argument("--events", type=_positive, default=1_000_000, help="of each batch round (%(default)s)")
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
