"""Simulated players at play, with a live status line."""

import shutil
import sys
import time
from collections.abc import Callable

from game_api.log.event_log import Outcome

from testbed.simulator.players import Players
from testbed.simulator.tally import Tally

_ON_TERMINAL = 0.5
_ELSEWHERE = 5.0
"""Seconds between two status lines."""

_RECENT = 1000
"""Number of attempts behind the latencies of the status line."""


def show(players: Players, stream: Callable[[], str] = lambda: "") -> Tally:
    """Run the players until their time is over or Ctrl-C, and print status lines; `stream` describes the stream."""
    on_terminal = sys.stdout.isatty()
    print(f"every attempt is written to {players.ledger}", flush=True)
    began = time.monotonic()
    try:
        with players:
            before = 0
            while not players.over(_ON_TERMINAL if on_terminal else _ELSEWHERE):
                before = _print_line(players, before, on_terminal, stream)
    except KeyboardInterrupt:
        print("\nstopped", end="")
    print(f"\n{_summary(players.tally, time.monotonic() - began)}", flush=True)
    return players.tally


def _print_line(players: Players, before: int, on_terminal: bool, stream: Callable[[], str]) -> int:
    """Print a status line, and return the number of attempts, from which the next line's rate is computed."""
    tally = players.tally
    sent = tally.attempts.total() + tally.forbidden
    rate = (sent - before) / (_ON_TERMINAL if on_terminal else _ELSEWHERE)
    parts = [f"{sent:,} sent, {rate:,.0f}/s", _outcomes(tally, tally.attempts), _latencies(tally, _RECENT)]
    if players.late > 1:
        parts.append(f"{players.late:.0f} s late")
    line = " | ".join([*parts, *filter(None, [stream()])])
    if on_terminal:
        # A line that wraps cannot be overwritten.
        print(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
    else:
        print(line, flush=True)
    return sent


def _outcomes(tally: Tally, counts: dict[Outcome, int]) -> str:
    counted = [f"{counts.get(outcome, 0):,} {outcome}" for outcome in Outcome]
    return ", ".join([*counted, f"{tally.forbidden:,} against the rules"])


def _latencies(tally: Tally, last: int = 0) -> str:
    return f"p50 {tally.percentile(0.5, last):.1f} ms, p99 {tally.percentile(0.99, last):.1f} ms"


def _summary(tally: Tally, seconds: float) -> str:
    events, attempts = (counts.total() + tally.forbidden for counts in (tally.events, tally.attempts))
    return (
        f"{events:,} events in {seconds:.0f} s: {_outcomes(tally, tally.events)}\n"
        f"{attempts:,} attempts: {_outcomes(tally, tally.attempts)}; {_latencies(tally)}\n"
        f"{tally.retried:,} events took more than one attempt\n"
        "to compare the ledger with Kafka and the table: make ledger"
    )
