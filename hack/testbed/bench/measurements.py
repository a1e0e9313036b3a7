"""The measurements, each on servers of its own with free loopback ports and a temporary data directory."""

import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from testbed.bench import dashboard, freshness, jobs, lake_rows, maintenance, rebuild, scale
from testbed.bench.api import ApiBench
from testbed.bench.api_rows import api_rows, contenders
from testbed.bench.batch import BatchBench
from testbed.bench.go_collector import UnavailableError
from testbed.bench.queries import QueriesBench
from testbed.bench.report import Compared, Row
from testbed.bench.servers import Servers
from testbed.bench.stream import StreamBench
from testbed.settings import Settings
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
        measured = freshness.measure(stack.settings, options.rate, options.freshness_seconds)
        return lake_rows.freshness_rows(measured, options.rate, options.trigger_seconds)


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
}
