"""The API with and without its world, the usual way and the bare producer, in turns, on one broker and one topic."""

import socket
import sys
import time
from dataclasses import dataclass, replace
from functools import partial

from local.process import Process, Program, wait_until
from local.settings import HOST, Ports
from local.stack import Stack
from local.topic import end_offset

from bench.cost import BenchError, cpu_seconds, run_module, worker_memory

BULK = 100
"""Events in a bulk request."""
BARE_EVENTS = 300_000
WARM_UP_SECONDS = 8
"""The broker starts cold: whoever came first would pay for its compilation."""


@dataclass(frozen=True)
class Run:
    """What a contender did in one turn; `events` are those that lie in Kafka, `lost` were promised and do not."""

    requests_per_second: float
    events: int
    lost: int
    p50_ms: float
    p99_ms: float
    cpu: float

    @property
    def cpu_per_event(self) -> float:
        """Microseconds."""
        return self.cpu / self.events * 1e6

    @property
    def events_per_core(self) -> float:
        return self.events / self.cpu


@dataclass(frozen=True)
class Round:
    ours: Run
    worldless: Run
    usual: Run
    bulk: Run
    bare: Run


class ApiBench:
    def __init__(self, stack: Stack, seconds: float, connections: int) -> None:
        self._stack = stack
        self._seconds = seconds
        self._connections = connections
        self._ours = self._api("api", stack.settings.ports.api)
        self._worldless_port, self._usual_port = Ports.free().api, Ports.free().api
        self._worldless = self._api("api-worldless", self._worldless_port, WORLD_URL="")
        settings = stack.settings
        command = [sys.executable, "-m", "bench.usual", str(self._usual_port), settings.bootstrap_servers]
        self._usual = Process(Program("usual", [*command, settings.topic], {}), settings)

    def _api(self, name: str, port: int, **environment: str) -> Process:
        usual = self._stack["api"].program
        # All the load comes from one address, and from few players.
        changed = {"API_BIND": f"{HOST}:{port}", "API_ADDRESS_RATE": "0", "API_PLAYER_RATE": "0", **environment}
        return Process(replace(usual, name=name, environment=usual.environment | changed), self._stack.settings)

    def rounds(self, count: int) -> list[Round]:
        """Let each have its turn, so many times."""
        ours, worldless, usual = servers = (self._ours, self._worldless, self._usual)
        ports = (port, worldless_port, _) = (
            self._stack.settings.ports.api,
            self._worldless_port,
            self._usual_port,
        )
        for server in servers:
            server.start()
        try:
            for server, each in zip(servers, ports, strict=True):
                wait_until(server.program.name, partial(self._listens, server, each), 30)
                run_module("load", each, self._connections, WARM_UP_SECONDS, timeout=30)
            rounds = []
            for number in range(1, count + 1):
                one = Round(
                    ours=self._load(ours, port),
                    worldless=self._load(worldless, worldless_port),
                    usual=self._load(usual, ports[2], promises=False),
                    bulk=self._load(ours, port, BULK),
                    bare=self._bare(),
                )
                print(f"API round {number} of {count}: {_summary(one)}", flush=True)
                rounds.append(one)
            return rounds
        finally:
            # Its largest worker is looked at next.
            for server in servers[1:]:
                server.stop()

    def close(self) -> None:
        self._ours.stop()

    def memory(self) -> dict[str, int]:
        """Bytes of the API's largest worker."""
        return worker_memory(self._pid(self._ours))

    def _load(self, server: Process, port: int, bulk: int = 0, promises: bool = True) -> Run:
        """One turn; a server that `promises` its events must have all of them in Kafka when it has answered."""
        pid = self._pid(server)
        before, before_cpu = self._end(), cpu_seconds(pid)
        arguments = [port, self._connections, self._seconds, *([bulk] if bulk else [])]
        load = run_module("load", *arguments, timeout=self._seconds + 60)
        if load["statuses"].keys() != {"200"}:
            raise BenchError(f"{server.program.name} answered with other statuses than 200: {load['statuses']}")
        sent = load["statuses"]["200"] * (bulk or 1)
        arrived = self._arrived(before, sent, patience=0 if promises else 5)
        if promises and arrived != sent:
            raise BenchError(f"{server.program.name} acknowledged {sent} events, and {arrived} lie in Kafka")
        return Run(
            requests_per_second=load["statuses"]["200"] / load["seconds"],
            events=arrived,
            lost=sent - arrived,
            p50_ms=load["p50"] * 1000,
            p99_ms=load["p99"] * 1000,
            cpu=cpu_seconds(pid) - before_cpu,
        )

    def _listens(self, server: Process, port: int) -> bool:
        self._pid(server)
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    def _bare(self) -> Run:
        settings = self._stack.settings
        done = run_module("bare", settings.bootstrap_servers, settings.topic, BARE_EVENTS, timeout=120)
        if done["failed"]:
            raise BenchError(f"the bare producer: {done['failed']} events were not acknowledged")
        return Run(0, done["acked"], 0, 0, 0, done["cpu"])

    def _pid(self, server: Process) -> int:
        if server.pid is None:
            raise BenchError(f"{server.program.name} died. The end of its log:\n{server.last_lines()}")
        return server.pid

    def _end(self) -> int:
        return end_offset(self._stack.settings)

    def _arrived(self, before: int, sent: int, patience: float) -> int:
        """How many events lie in Kafka; waits for those that are still on their way."""
        deadline = time.monotonic() + patience
        while (arrived := self._end() - before) < sent and time.monotonic() < deadline:
            time.sleep(0.2)
        return arrived


def _summary(one: Round) -> str:
    ours, usual = one.ours, one.usual
    return (
        f"{ours.requests_per_second:.0f}, without world {one.worldless.requests_per_second:.0f}, "
        f"to {usual.requests_per_second:.0f} requests/s, "
        f"p99 {ours.p99_ms:.0f} to {usual.p99_ms:.0f} ms, "
        f"CPU per event {ours.cpu_per_event:.0f} to {usual.cpu_per_event:.0f} µs; "
        f"bulk {one.bulk.events_per_core:.0f} to bare {one.bare.events_per_core:.0f} events/s per core"
    )
