"""The API with and without its world, the naive baseline and the raw producer, in alternated rounds on one broker.

Two servers run the naive baseline: Flask's development server, and gunicorn with as many workers and threads as the
API has.
"""

import os
import sys
import time
from dataclasses import dataclass, replace

from game_api.settings import Settings as ApiSettings
from game_world.store import Store

from testbed.bench.cost import BenchError, run_module, worker_memory
from testbed.bench.server import Server
from testbed.clients import topic
from testbed.clients.topic import end_offset
from testbed.settings import HOST, Ports, Settings
from testbed.stack.process import Process, Program
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

BULK = 100
"""Events in a bulk request."""
RAW_EVENTS = 300_000
WARM_UP_SECONDS = 8
"""The broker starts cold: without it, the first server would pay for its JIT compilation."""
_LIMITS = ("API_PLAYER_RATE", "API_PLAYER_BURST", "API_ADDRESS_RATE", "API_ADDRESS_BURST")
_PLENTY = "1000000"
"""Rate limits that count each request and refuse none: all load comes from one address and few players."""


@dataclass(frozen=True)
class Run:
    """One server's result in one round; `events` are in Kafka, `lost` were answered with 200 and are not."""

    requests_per_second: float
    events: int
    lost: int
    p50_ms: float
    p99_ms: float
    cpu: float

    @property
    def cpu_per_event(self) -> float:
        """Return the CPU time per event, in microseconds."""
        return self.cpu / self.events * 1e6

    @property
    def events_per_core(self) -> float:
        return self.events / self.cpu


@dataclass(frozen=True)
class Round:
    ours: Run
    decided: Run
    worldless: Run
    flask: Run
    gunicorn: Run
    bulk: Run
    raw: Run


class ApiBench:
    def __init__(self, stack: Stack, seconds: float, connections: int) -> None:
        self._stack = stack
        self._seconds = seconds
        self._connections = connections
        settings = stack.settings
        # The other servers have a topic of their own, so that the world spends no CPU on their events.
        self._other = replace(settings, topic="worldless")
        ports = Ports.free()
        self._ours = Server(
            self._api("api", settings, settings.ports.api, **dict.fromkeys(_LIMITS, _PLENTY)),
            settings.ports.api,
            settings,
            beside=(stack["store"], stack["world"]),
        )
        self._worldless = Server(
            self._api("api-worldless", self._other, ports.api, WORLD_URL=""), ports.api, self._other
        )
        self._flask = self._baseline("flask", ports.store, "testbed.bench.baseline", str(ports.store))
        api = ApiSettings.from_environment()
        self._gunicorn = self._baseline(
            "gunicorn",
            ports.trino,
            *("gunicorn", "--bind", f"{HOST}:{ports.trino}", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", str(api.workers), "--threads", str(api.threads)),
            *("--keep-alive", str(api.keepalive_seconds), "testbed.bench.baseline:application()"),
        )

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers, in the order of a round."""
        return self._ours, self._worldless, self._flask, self._gunicorn

    def _baseline(self, name: str, port: int, *module: str) -> Server:
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": self._other.bootstrap_servers,
            "KAFKA_TOPIC": self._other.topic,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        program = Program(name, [sys.executable, "-m", *module], environment)
        return Server(Process(program, self._stack.settings), port, self._other)

    def _api(self, name: str, settings: Settings, port: int, **environment: str) -> Process:
        program = self._stack["api"].program
        changed = {
            "API_BIND": f"{HOST}:{port}",
            "KAFKA_TOPIC": settings.topic,
            **environment,
        }
        return Process(replace(program, name=name, environment=program.environment | changed), settings)

    def rounds(self, count: int) -> list[Round]:
        """Load every server once in each round."""
        topic.ensure(self._other)
        for server in self.servers:
            server.process.start()
        try:
            for server in self.servers:
                wait_until(server.process.program.name, server.listens, 30)
                run_module("load", server.port, self._connections, WARM_UP_SECONDS, timeout=30)
            rounds = []
            for number in range(1, count + 1):
                one = Round(
                    ours=self._load(self._ours),
                    decided=self._load(self._ours, kind="decided"),
                    worldless=self._load(self._worldless),
                    flask=self._load(self._flask, promises=False),
                    gunicorn=self._load(self._gunicorn, promises=False),
                    bulk=self._load(self._worldless, kind=BULK),
                    raw=self._raw(),
                )
                print(f"API round {number} of {count}: {_summary(one)}", flush=True)
                rounds.append(one)
            return rounds
        finally:
            # The API itself keeps running, because its memory is measured next.
            for server in self.servers[1:]:
                server.process.stop()

    def close(self) -> None:
        self._ours.process.stop()

    def memory(self) -> dict[str, int]:
        """Return the memory in bytes of the API's largest worker."""
        return worker_memory(self._ours.pid)

    def _load(self, server: Server, kind: int | str = "", promises: bool = True) -> Run:
        """Load one server; one that `promises` its events must have all of them in Kafka when it has answered.

        `kind` is the last argument of bench.load.
        """
        self._await_world()
        before, before_cpu = end_offset(server.settings), server.cpu()
        arguments = [server.port, self._connections, self._seconds, *([kind] if kind else [])]
        load = run_module("load", *arguments, timeout=self._seconds + 60)
        name = server.process.program.name
        if load["statuses"].keys() != {"200"}:
            raise BenchError(f"{name}: expected only status 200, got {load['statuses']}")
        sent = load["statuses"]["200"] * (kind if isinstance(kind, int) else 1)
        arrived = _arrived(server.settings, before, sent, patience=0 if promises else 5)
        if promises and arrived != sent:
            raise BenchError(f"{name}: expected {sent} acknowledged events in Kafka, got {arrived}")
        self._await_world()
        return Run(
            requests_per_second=load["statuses"]["200"] / load["seconds"],
            events=arrived,
            lost=sent - arrived,
            p50_ms=load["p50"] * 1000,
            p99_ms=load["p99"] * 1000,
            cpu=server.cpu() - before_cpu,
        )

    def _await_world(self) -> None:
        """Wait until the world has applied all events, so that their CPU counts in this round."""
        store, settings = Store(self._stack.settings.store_url), self._stack.settings
        wait_until("the world", lambda: sum(store.positions().values()) == end_offset(settings), 60)

    def _raw(self) -> Run:
        done = run_module("raw_producer", self._other.bootstrap_servers, self._other.topic, RAW_EVENTS, timeout=120)
        if done["failed"]:
            raise BenchError(f"the raw producer: {done['failed']} events were not acknowledged")
        return Run(0, done["acked"], 0, 0, 0, done["cpu"])


def _arrived(settings: Settings, before: int, sent: int, patience: float) -> int:
    """Count the events that are in Kafka now; wait at most `patience` seconds for those in flight."""
    deadline = time.monotonic() + patience
    while (arrived := end_offset(settings) - before) < sent and time.monotonic() < deadline:
        time.sleep(0.2)
    return arrived


def _summary(one: Round) -> str:
    ours, flask, gunicorn = one.ours, one.flask, one.gunicorn
    return (
        f"{ours.requests_per_second:.0f} requests/s with the world, "
        f"{one.decided.requests_per_second:.0f} decided by it, {one.worldless.requests_per_second:.0f} without it, "
        f"Flask {flask.requests_per_second:.0f}, gunicorn {gunicorn.requests_per_second:.0f}; "
        f"p99 {ours.p99_ms:.0f} ms, Flask {flask.p99_ms:.0f}, gunicorn {gunicorn.p99_ms:.0f}; "
        f"CPU per event {ours.cpu_per_event:.0f} µs, Flask {flask.cpu_per_event:.0f}, "
        f"gunicorn {gunicorn.cpu_per_event:.0f}; "
        f"bulk {one.bulk.events_per_core:.0f} events/s per core, raw producer {one.raw.events_per_core:.0f}"
    )
