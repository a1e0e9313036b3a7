"""The measurements, each on servers of its own with free loopback ports and a temporary data directory."""

import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from testbed.bench import connect, connect_rows, dashboard, freshness, jobs, lake_rows, maintenance, rebuild, scale
from testbed.bench.api import ApiBench
from testbed.bench.api_rows import api_rows, contenders
from testbed.bench.batch import BatchBench
from testbed.bench.connect import ConnectBench
from testbed.bench.connect_faults import ConnectFaults
from testbed.bench.go_collector import UnavailableError
from testbed.bench.kafka_connect import DEFAULT_SECONDS
from testbed.bench.queries import QueriesBench
from testbed.bench.report import Compared, Row
from testbed.bench.servers import Servers
from testbed.bench.stream import StreamBench
from testbed.bench.writers import OURS, THEIRS, ConnectWriter, StreamWriter, Writer
from testbed.settings import Settings
from testbed.stack.process import Process
from testbed.stack.stack import Stack


@contextmanager
def _stack(servers: Sequence[str] | None, trigger_seconds: int = Settings.trigger_seconds) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="gamelake-bench-") as folder:
        stack = Stack(replace(Settings.isolated(Path(folder)), trigger_seconds=trigger_seconds))
        try:
            stack.up(servers)
            yield stack
        finally:
            stack.down()


def _api(options: Namespace) -> list[Row]:
    with _stack(["kafka", "store", "world"]) as stack, Servers(stack) as servers:
        why_not = str(servers.collector) if isinstance(servers.collector, UnavailableError) else ""
        if why_not:
            print(f"the Go collector is unavailable: {why_not}", flush=True)
        bench = ApiBench(
            stack, servers, servers.start_slow(), options.seconds, options.connections, options.crowd_seconds
        )
        rounds = bench.rounds(options.rounds, options.warm_up_seconds)
        compared = contenders(servers.collector_name, why_not)
        return api_rows(rounds, bench.memory(), options.connections, compared)


def _batch(options: Namespace) -> list[Row]:
    with _stack(jobs.SERVERS) as stack:
        return lake_rows.batch_rows(BatchBench(stack, options.events).rounds(options.batch_rounds))


def _stream(options: Namespace) -> list[Row]:
    with _stack(jobs.SERVERS) as stack:
        return lake_rows.stream_rows(StreamBench(stack, options.stream_events).rounds(options.stream_rounds))


def _freshness(options: Namespace) -> list[Row]:
    with _stack(None, trigger_seconds=options.trigger_seconds) as stack:
        settings, rate, seconds = stack.settings, options.rate, options.freshness_seconds
        measured = freshness.measure(settings, rate, seconds)
        stack["stream"].stop()
        with _stream_every(stack, Settings.trigger_seconds):
            live = freshness.measure_live(settings, rate, seconds)
        return [
            *lake_rows.freshness_rows(measured, rate, options.trigger_seconds),
            lake_rows.live_row(live, rate, Settings.trigger_seconds),
        ]


@contextmanager
def _stream_every(stack: Stack, trigger_seconds: int) -> Iterator[None]:
    """Run the stack's stream with another trigger."""
    usual = stack["stream"].program
    environment = {**usual.environment, "STREAM_TRIGGER_SECONDS": str(trigger_seconds)}
    process = Process(replace(usual, environment=environment), stack.settings)
    process.start()
    try:
        yield
    finally:
        process.stop()


def _queries(options: Namespace) -> list[Row | Compared]:
    with _stack([*jobs.SERVERS, "trino"]) as stack:
        bench = QueriesBench(stack, options.rows, options.runs)
        files = bench.fill()
        return lake_rows.queries_rows(bench.rounds(options.query_rounds), options.rows, files)


def _dashboard(options: Namespace) -> list[Row]:
    with _stack(dashboard.SERVERS) as stack:
        dashboard.fill(stack, options.dashboard_rows)
        return dashboard.rows(dashboard.measure(stack, options.query_rounds), options.dashboard_rows)


def _maintenance(options: Namespace) -> list[Row]:
    with _stack(maintenance.SERVERS, trigger_seconds=maintenance.TRIGGER_SECONDS) as stack:
        return lake_rows.maintenance_rows(maintenance.measure(stack, options.small_batches))


def _scale(options: Namespace) -> list[Row]:
    with _stack(scale.SERVERS) as stack:
        return scale.rows(scale.measure(stack, options.scale_rounds, options.scale_days), options.scale_days)


def _world(options: Namespace) -> list[Row]:
    with _stack(rebuild.SERVERS) as stack:
        return rebuild.rows(rebuild.measure(stack, options.world_events))


def _connect(options: Namespace) -> list[Row | Compared]:
    with _stack(connect.SERVERS) as stack:
        writers: list[Writer] = [StreamWriter(stack), ConnectWriter(stack)]
        bench = ConnectBench(stack, writers, options.rate)
        rows: list[Row | Compared] = []
        for interval in options.intervals:
            loads = bench.catch_up(interval, options.connect_rounds, options.connect_events)
            rows += connect_rows.catch_up_rows(loads, interval)
        for interval in options.intervals:
            same = {OURS: interval, THEIRS: interval}
            found = bench.steady(same, options.connect_rounds, options.connect_seconds)
            rows += connect_rows.steady_rows(found, same, options.rate)
        if options.connect_default_seconds:
            own = {OURS: Settings.trigger_seconds, THEIRS: DEFAULT_SECONDS}
            rows += connect_rows.steady_rows(bench.steady(own, 1, options.connect_default_seconds), own, options.rate)
        fastest = min(options.intervals)
        faults = ConnectFaults(stack, writers, options.rate, fastest)
        with faults.running():
            rows.append(connect_rows.exactness_row(bench.exactness()))
            return [*rows, *connect_rows.fault_rows(faults.kills(options.kills), fastest)]


MEASUREMENTS: dict[str, Callable[[Namespace], Sequence[Row | Compared]]] = {
    "api": _api,
    "batch": _batch,
    "stream": _stream,
    "freshness": _freshness,
    "queries": _queries,
    "dashboard": _dashboard,
    "maintenance": _maintenance,
    "scale": _scale,
    "world": _world,
    "connect": _connect,
}
DEFAULT = [name for name in MEASUREMENTS if name != "connect"]
"""Kafka Connect is a download of its own, and its default of a commit every five minutes takes long to measure."""
