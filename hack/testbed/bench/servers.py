"""The servers that the API's measurements compare: ours in several configurations, a Go collector, and two of Flask."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import astuple, replace
from functools import cached_property
from pathlib import Path

from game_api.settings import Settings as ApiSettings
from game_world.store import Store

from testbed.bench import go_collector
from testbed.bench.go_collector import UnavailableError
from testbed.bench.server import Server
from testbed.clients import topic
from testbed.settings import HOST, Ports, Settings
from testbed.stack.probes import listens
from testbed.stack.process import Process, Program
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

SLOW_MILLISECONDS = 700
"""How late the slow broker answers."""
GTHREAD_THREADS = 32
"""Threads of each worker of the baseline under gunicorn, where each connection needs one."""
_LIMITS = ("API_PLAYER_RATE", "API_PLAYER_BURST", "API_ADDRESS_RATE", "API_ADDRESS_BURST")
_PLENTY = dict.fromkeys(_LIMITS, "1000000")
"""Rate limits that count each request and refuse none: all load comes from one address and few players."""


class Servers:
    """`with` starts all of them but `ours`' neighbours, which are the stack's, and stops them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._ports = iter(astuple(Ports.free()))
        self._folder = stack.settings.data / "bench"
        self._running = ExitStack()
        # The other servers have a topic of their own, so that the world spends no CPU on their events.
        self.other = replace(stack.settings, topic="worldless")

    @cached_property
    def ours(self) -> Server:
        """The API with its world; only its events are projected."""
        neighbours = (self._stack["store"], self._stack["world"])
        return self._api("api", self._stack.settings, _PLENTY, neighbours)

    @cached_property
    def limited(self) -> Server:
        """The API with the limits of the store, whose events are not projected."""
        return self._api("api-limited", self.other, _PLENTY, (self._stack["store"],))

    @cached_property
    def worldless(self) -> Server:
        return self._api("api-worldless", self.other, {"WORLD_URL": ""})

    @cached_property
    def flask(self) -> Server:
        port = next(self._ports)
        return self._baseline("flask", port, sys.executable, "-m", "testbed.bench.baseline", str(port))

    @cached_property
    def gunicorn(self) -> Server:
        port, api = next(self._ports), ApiSettings.from_environment()
        return self._baseline(
            "gunicorn",
            port,
            *(sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", str(api.workers), "--threads", str(GTHREAD_THREADS)),
            *("--keep-alive", str(api.keepalive_seconds), "testbed.bench.baseline:application()"),
        )

    @cached_property
    def collector(self) -> Server | UnavailableError:
        """The Go collector, or why it cannot be built here."""
        port = next(self._ports)
        try:
            program = go_collector.build(self._folder)
        except UnavailableError as error:
            return error
        contract = go_collector.write_contract(self._folder)
        return self._baseline("collector", port, str(program), f"{HOST}:{port}", str(contract))

    @property
    def collector_name(self) -> str:
        if isinstance(self.collector, UnavailableError):
            return "a Go collector"
        return f"a Go collector ({go_collector.versions(Path(self.collector.process.program.command[0]))})"

    @property
    def acknowledging(self) -> Iterator[Server]:
        """The servers before the stack's broker that answer once it has the event, as the API does."""
        yield from (self.ours, self.limited, self.worldless)
        if isinstance(self.collector, Server):
            yield self.collector

    def __enter__(self) -> "Servers":
        topic.ensure(self.other)
        with ExitStack() as starting:
            for server in (*self.acknowledging, self.flask, self.gunicorn):
                self._start(starting, server)
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def start_slow(self) -> Server:
        """Start the API before a broker that answers late, with a store of its own: nothing projects its events."""
        broker, store = self._slow_broker(), self._slow_store()
        for process in (broker, store):
            process.start()
            self._running.callback(process.stop)
        address = self._folder / "broker"
        wait_until("the slow broker", address.exists, 30)
        port = int(store.program.environment["STORE_PORT"])
        wait_until("the store beside the slow broker", lambda: listens(port), 30)
        url = f"redis://{HOST}:{port}"
        # Unconditional events are decided in any store that belongs to a topic.
        Store(url).claim("slow")
        changed = {"WORLD_URL": url, "KAFKA_BOOTSTRAP_SERVERS": address.read_text()}
        server = self._api("api-slow", self.other, _PLENTY | changed)
        self._start(self._running, server)
        return server

    def _start(self, running: ExitStack, server: Server) -> None:
        server.process.start()
        running.callback(server.process.stop)
        wait_until(server.process.program.name, server.listens, 30)

    def _slow_broker(self) -> Process:
        module = (sys.executable, "-m", "testbed.bench.slow_broker")
        command = [*module, str(self._folder / "broker"), str(SLOW_MILLISECONDS)]
        self._folder.mkdir(parents=True, exist_ok=True)
        return Process(Program("slow-broker", command, _python_path()), self._stack.settings)

    def _slow_store(self) -> Process:
        program = self._stack["store"].program
        changed = {"STORE_PORT": str(next(self._ports)), "STORE_DATA": str(self._folder / "store")}
        return Process(
            replace(program, name="slow-store", environment={**program.environment, **changed}), self._stack.settings
        )

    def _baseline(self, name: str, port: int, *command: str) -> Server:
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": self.other.bootstrap_servers,
            "KAFKA_TOPIC": self.other.topic,
            **_python_path(),
        }
        return Server(Process(Program(name, command, environment), self._stack.settings), port, self.other)

    def _api(
        self, name: str, settings: Settings, environment: Mapping[str, str], beside: tuple[Process, ...] = ()
    ) -> Server:
        port, program = next(self._ports), self._stack["api"].program
        changed = {
            "API_BIND": f"{HOST}:{port}",
            "API_ADMIN_BIND": f"{HOST}:{next(self._ports)}",
            "KAFKA_TOPIC": settings.topic,
            **environment,
        }
        process = Process(replace(program, name=name, environment={**program.environment, **changed}), settings)
        return Server(process, port, settings, beside)


def _python_path() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
