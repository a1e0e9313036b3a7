"""The demo: events through the whole pipeline, and a check of the numbers that they have to produce."""

import math
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping

from lake.settings import EVENTS

from testbed.clients import sql, topic
from testbed.clients.stream_metrics import stream_state
from testbed.settings import ROOT, Settings
from testbed.simulator import play as watching
from testbed.simulator.players import Players, play
from testbed.simulator.scenario import ACKNOWLEDGED, QUERIES, ROWS, SCENARIO
from testbed.stack.hdfs import hdfs_environment
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack, StackError

_PATIENCE = 300
"""Seconds for the stream to read the topic to its end."""
_BOTS, _BOTS_RATE, _BOTS_SEED = 240, 20, 1
_GLIMPSE = 10.0
"""Seconds for which the bots play without a terminal, where nobody can press Ctrl-C."""


def demo(stack: Stack, keep: bool) -> bool:
    """Run the demo; return true if every number is as expected.

    Unless `keep`, it stops the servers that it started, and deletes the data that it created.
    """
    settings = stack.settings
    was_up, had_data = stack.any_alive, settings.data.exists()
    started = time.monotonic()
    ok = False
    try:
        heading("The servers")
        stack.up()
        ok = _play_and_query(stack)
        print(f"\n{time.monotonic() - started:.0f} s in all", flush=True)
        _let_bots_play(settings)
    except BaseException:
        keep = False
        raise
    finally:
        if not keep and not was_up:
            # After a failure the logs are still needed.
            _clean_up(stack, keep_data=had_data or not ok)
    if keep or was_up:
        print(_next_steps(settings))
    return ok


def _play_and_query(stack: Stack) -> bool:
    settings = stack.settings
    # Otherwise rows of events that were already in the topic would count as the players'.
    await_stream(settings, f"{settings.logs}/stream.log")
    before = rows(settings)

    heading("Players, over HTTP")
    answered = play(settings, SCENARIO)

    heading(f"The topic {settings.topic}")
    print(f"end offset: {topic.end_offset(settings)} (all partitions)\nlast event: {topic.newest(settings)[1]}")

    heading(f"Rows arriving: the stream writes a batch every {settings.trigger_seconds} s")
    await_stream(settings, f"{settings.logs}/stream.log")

    heading("The batch job: it changes nothing over the same offsets, and exports plain Parquet")
    stack.run(spark_job(settings, "batch-load", "batch.py", "load"), echo=True)
    stack.run(spark_job(settings, "batch-export", "batch.py", "export"), echo=True)

    heading("Parquet files on HDFS")
    _list_parquet_files(settings)

    show_answers(settings)
    return show_numbers(answered[200], before, rows(settings))


def _let_bots_play(settings: Settings) -> None:
    """Let bots play the game; on a terminal, until Ctrl-C."""
    heading("Bots at play")
    seconds = math.inf if sys.stdin.isatty() else _GLIMPSE
    until = "until Ctrl-C" if sys.stdin.isatty() else f"for {_GLIMPSE:.0f} s"
    print(f"merchants, warlords and explorers, {until}. Join them, or watch:", flush=True)
    print(f"  the game       {settings.api_url}/play\n  the dashboard  {settings.admin_url}/dashboard", flush=True)
    watching.show(Players(settings, players=_BOTS, rate=_BOTS_RATE, seconds=seconds, seed=_BOTS_SEED))


def rows(settings: Settings) -> dict[str, int]:
    """Count the rows of the views that the scenario's events are in."""
    return {view: sql.count(settings, view) for view in ROWS}


def await_stream(settings: Settings, log: str) -> None:
    """Wait until the stream has read the topic to its end, and print the row counts; errors refer to `log`."""
    started = time.monotonic()
    shown = -1
    while True:
        state = stream_state(settings)
        count = sql.count(settings, EVENTS)
        if count != shown:
            shown = count
            print(f"  {time.monotonic() - started:4.1f} s: {count:,} rows", flush=True)
        if state and state.lag == 0:
            return
        if time.monotonic() - started > _PATIENCE:
            last = state or "the stream does not answer"
            raise StackError(f"after {_PATIENCE} s: {last}; see {log}")
        time.sleep(0.2)


def show_answers(settings: Settings) -> None:
    heading("Trino's answers")
    for query in QUERIES:
        sql.show(settings, query)


def show_numbers(acknowledged: int, before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    """Compare the scenario's numbers with the expected ones; return true if all are equal."""
    heading("The numbers")
    checks = [("events acknowledged", ACKNOWLEDGED, acknowledged, "")]
    checks += [
        (f"rows in {view}", ROWS[view], after[view] - before[view], _total(before, after, view)) for view in ROWS
    ]
    for what, expected, seen, total in checks:
        verdict = "ok" if seen == expected else f"WRONG, expected {expected:,}"
        print(f"  {what:22}{seen:>7,}{total}  {verdict}")
    return all(seen == expected for _, expected, seen, _ in checks)


def _total(before: Mapping[str, int], after: Mapping[str, int], view: str) -> str:
    return f" more, now {after[view]:,}" if before[view] else ""


def heading(text: str) -> None:
    print(f"\n== {text}", flush=True)


def _list_parquet_files(settings: Settings) -> None:
    listing = subprocess.run(
        [ROOT / "images/hdfs/run", "dfs", "-ls", "-R", "/lake/events/data", "/export"],
        env=hdfs_environment(settings),
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listing.stdout.splitlines():
        if line.endswith(".parquet"):
            _, _, _, _, size, day, clock, path = line.split(maxsplit=7)
            print(f"  {int(size):>9,} bytes  {day} {clock}  {path}")


def _clean_up(stack: Stack, keep_data: bool) -> None:
    print(flush=True)
    stack.down()
    if not keep_data:
        shutil.rmtree(stack.settings.data, ignore_errors=True)


def _next_steps(settings: Settings) -> str:
    return f"""
The servers are still running: {settings.api_url}/play, {settings.admin_url}/dashboard. What to try next:
  make sql                          Trino's prompt: try  select host, count(*) from purchases group by host;
  make play                         simulated players for a minute, with a live status line
  make ledger                       the answers that they got, compared with Kafka and the table
  curl -H 'Host: knight1.comcast.com' {settings.api_url}/purchase_a_sword
  make status                       the servers, and the lag of the stream
  kcat -C -b {settings.bootstrap_servers} -t {settings.topic} -o -5 -e      the last events of each partition
  make notebook                     queries and plots in Jupyter
  make down                         stops the servers; their data stays in {settings.data}"""
