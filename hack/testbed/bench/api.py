"""The API with and without its world, the servers it is compared with and the raw producer, in alternated rounds."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from game_world.store import Store

from testbed.bench.answers import Answers, milliseconds
from testbed.bench.cost import BenchError, run_module, worker_memory
from testbed.bench.server import Server
from testbed.bench.servers import Servers
from testbed.clients.topic import end_offset
from testbed.settings import Settings
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

BULKS = (100, 1000)
"""Events in a bulk request."""
RAW_EVENTS = 300_000
SLOW_CONNECTIONS = 1000
AT_ONCE_MS = 1000.0
"""A request is refused at once within this time: most of it is its wait for a core of a loaded machine."""
HEALTH = "healthz"
PATIENCE = 90
"""Seconds that a load may take longer than it lasts."""


@dataclass(frozen=True)
class Run:
    """One server's result in one round; `events` are in Kafka, `lost` were answered with 200 and are not.

    `cpu` are the CPU seconds of all the server's processes, `beside` those of the store and the projection.
    """

    requests: int
    seconds: float
    events: int
    lost: int
    p50_ms: float
    p99_ms: float
    cpu: float
    beside: float = 0.0

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_per_request(self) -> float:
        """Return the CPU time per request, in microseconds."""
        return self.cpu / self.requests * 1e6

    @property
    def cpu_per_request_beside(self) -> float:
        """Return the CPU time per request, with that of the store and the projection, in microseconds."""
        return (self.cpu + self.beside) / self.requests * 1e6

    @property
    def requests_per_core(self) -> float:
        """Return the requests per core second."""
        return self.requests / self.cpu

    @property
    def events_per_core(self) -> float:
        return self.events / self.cpu


@dataclass(frozen=True)
class Crowd:
    """Many clients before a slow broker: shares of all answers, and the times of those that were acknowledged."""

    acknowledged: float
    refused_at_once: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, answers: Answers) -> "Crowd":
        """Raise BenchError if no request was acknowledged."""
        acknowledged = answers.times.get(200)
        if not acknowledged:
            raise BenchError(f"the slow broker: expected acknowledged requests, got {answers.statuses}")
        total = sum(answers.statuses.values())
        at_once = sum(one <= AT_ONCE_MS * 1000 for one in answers.times.get(503, ()))
        return cls(
            len(acknowledged) / total,
            at_once / total,
            milliseconds(acknowledged, 0.5),
            milliseconds(acknowledged, 0.99),
        )

    @property
    def others(self) -> float:
        """Return the share of requests that were refused late, or answered with another status."""
        return 1 - self.acknowledged - self.refused_at_once


@dataclass(frozen=True)
class Round:
    """`collector` is None where it is unavailable; `bulk` is by events per request, `health` by server."""

    ours: Run
    decided: Run
    worldless: Run
    collector: Run | None
    gunicorn: Run
    flask: Run
    bulk: Mapping[int, Run]
    raw: Run
    health: Mapping[str, Run]
    crowd: Crowd


class ApiBench:
    """Measures servers that are running; `slow` is the one before the slow broker."""

    def __init__(
        self, stack: Stack, servers: Servers, slow: Server, seconds: float, connections: int, crowd_seconds: float
    ) -> None:
        self._stack = stack
        self._servers = servers
        self._slow = slow
        self._seconds = seconds
        self._connections = connections
        self._crowd_seconds = crowd_seconds

    def rounds(self, count: int, warm_up_seconds: float) -> list[Round]:
        """Load every server once in each round."""
        # The broker starts cold: without it, the first server would pay for its JIT compilation.
        for server in self._loaded().values():
            self._answers(server, self._connections, warm_up_seconds)
        rounds = []
        for number in range(1, count + 1):
            print(f"API round {number} of {count}", flush=True)
            rounds.append(self._round())
        return rounds

    def memory(self) -> dict[str, int]:
        """Return the memory in bytes of the API's largest worker."""
        return worker_memory(self._servers.ours.pid)

    def _loaded(self) -> dict[str, Server]:
        servers = self._servers
        named = {"ours": servers.ours, "worldless": servers.worldless, "limited": servers.limited}
        if isinstance(servers.collector, Server):
            named["collector"] = servers.collector
        return named | {"gunicorn": servers.gunicorn, "flask": servers.flask}

    def _round(self) -> Round:
        servers, collector = self._servers, self._servers.collector
        return Round(
            ours=self._load(servers.ours),
            decided=self._load(servers.ours, kind="decided"),
            worldless=self._load(servers.worldless),
            collector=self._load(collector) if isinstance(collector, Server) else None,
            gunicorn=self._load(servers.gunicorn, promises=False),
            flask=self._load(servers.flask, promises=False),
            bulk={size: self._load(servers.limited, kind=size) for size in BULKS},
            raw=self._raw(),
            health={
                name: self._load(server, kind=HEALTH)
                for name, server in self._loaded().items()
                if name not in ("worldless", "limited")
            },
            crowd=self._crowd(),
        )

    def _load(self, server: Server, kind: int | str = "", promises: bool = True) -> Run:
        """Load one server; one that `promises` its events must have all of them in Kafka when it has answered.

        `kind` is the last argument of bench.load.
        """
        self._await_world()
        name = server.process.program.name
        before, before_cpu, before_beside = end_offset(server.settings), server.cpu(), server.cpu_beside()
        answers = self._answers(server, self._connections, self._seconds, kind)
        cpu = server.cpu() - before_cpu
        times = answers.only_ok(name)
        sent = 0 if kind == HEALTH else len(times) * (kind if isinstance(kind, int) else 1)
        arrived = _arrived(server.settings, before, sent, patience=0 if promises else 5)
        if promises and arrived != sent:
            raise BenchError(f"{name}: expected {sent} acknowledged events in Kafka, got {arrived}")
        self._await_world()
        run = Run(
            requests=len(times),
            seconds=answers.seconds,
            events=arrived,
            lost=sent - arrived,
            p50_ms=milliseconds(times, 0.5),
            p99_ms=milliseconds(times, 0.99),
            cpu=cpu,
            beside=server.cpu_beside() - before_beside,
        )
        _say(name, kind, run)
        return run

    def _answers(self, server: Server, connections: int, seconds: float, kind: int | str = "") -> Answers:
        arguments = [server.port, connections, seconds, *([kind] if kind else [])]
        return Answers.of(run_module("load", *arguments, timeout=seconds + PATIENCE))

    def _await_world(self) -> None:
        """Wait until the world has applied all events, so that their CPU counts in this round."""
        store, settings = Store(self._stack.settings.store_url), self._stack.settings
        wait_until("the world", lambda: sum(store.positions().values()) == end_offset(settings), 60)

    def _raw(self) -> Run:
        other = self._servers.other
        done = run_module("raw_producer", other.bootstrap_servers, other.topic, RAW_EVENTS, timeout=120)
        if done["failed"]:
            raise BenchError(f"the raw producer: {done['failed']} events were not acknowledged")
        run = Run(done["acked"], done["seconds"], done["acked"], 0, 0, 0, done["cpu"])
        print(f"  raw producer: {run.events_per_core:,.0f} events per core second", flush=True)
        return run

    def _crowd(self) -> Crowd:
        crowd = Crowd.of(self._answers(self._slow, SLOW_CONNECTIONS, self._crowd_seconds))
        print(
            f"  {SLOW_CONNECTIONS} connections, slow broker: p99 {crowd.p99_ms / 1000:.2f} s, "
            f"{crowd.refused_at_once:.0%} refused at once",
            flush=True,
        )
        return crowd


def _arrived(settings: Settings, before: int, sent: int, patience: float) -> int:
    """Count the events that are in Kafka now; wait at most `patience` seconds for those in flight."""
    deadline = time.monotonic() + patience
    while (arrived := end_offset(settings) - before) < sent and time.monotonic() < deadline:
        time.sleep(0.2)
    return arrived


def _say(name: str, kind: int | str, run: Run) -> None:
    what = f"{name}, bulk of {kind}" if isinstance(kind, int) else " ".join(filter(None, (name, kind)))
    events = f", {run.events_per_core:,.0f} events per core second" if isinstance(kind, int) else ""
    print(
        f"  {what}: {run.requests_per_second:,.0f} requests/s, {run.cpu_per_request:,.0f} µs of CPU per request, "
        f"p50 / p99 {run.p50_ms:.1f} / {run.p99_ms:.1f} ms{events}",
        flush=True,
    )
