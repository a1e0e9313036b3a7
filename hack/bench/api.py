"""The API, the usual way and the bare producer, in turns, on one broker and one topic."""

import socket
import sys
import time
from dataclasses import dataclass

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
    usual: Run
    bulk: Run
    bare: Run


class ApiBench:
    def __init__(self, stack: Stack, seconds: float, connections: int) -> None:
        self._stack = stack
        self._seconds = seconds
        self._connections = connections
        self._usual_port = Ports.free().api
        settings = stack.settings
        command = [sys.executable, "-m", "bench.usual", str(self._usual_port), settings.bootstrap_servers]
        self._usual = Process(Program("usual", [*command, settings.topic], {}), settings)

    def rounds(self, count: int) -> list[Round]:
        ours, usual = self._stack["api"], self._usual
        port = self._stack.settings.ports.api
        usual.start()
        try:
            wait_until("the usual way's server", self._usual_listens, 30)
            for each in (port, self._usual_port):
                run_module("load", each, self._connections, WARM_UP_SECONDS, timeout=30)
            rounds = []
            for number in range(1, count + 1):
                one = Round(
                    ours=self._load(ours, port),
                    usual=self._load(usual, self._usual_port, promises=False),
                    bulk=self._load(ours, port, BULK),
                    bare=self._bare(),
                )
                print(f"API round {number} of {count}: {_summary(one)}", flush=True)
                rounds.append(one)
            return rounds
        finally:
            usual.stop()

    def memory(self) -> dict[str, int]:
        """Bytes of the API's largest worker."""
        return worker_memory(self._pid(self._stack["api"]))

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

    def _usual_listens(self) -> bool:
        self._pid(self._usual)
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self._usual_port)) == 0

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
        f"{ours.requests_per_second:.0f} to {usual.requests_per_second:.0f} requests/s, "
        f"p99 {ours.p99_ms:.0f} to {usual.p99_ms:.0f} ms, "
        f"CPU per event {ours.cpu_per_event:.0f} to {usual.cpu_per_event:.0f} µs; "
        f"bulk {one.bulk.events_per_core:.0f} to bare {one.bare.events_per_core:.0f} events/s per core"
    )
