"""A server under load: its process, its port, its topic and its CPU time."""

import socket
from dataclasses import dataclass

from testbed.bench.cost import BenchError, cpu_seconds
from testbed.settings import HOST, Settings
from testbed.stack.process import Process


@dataclass(frozen=True)
class Server:
    """A server on a port that writes to the topic of `settings`, for which the processes `beside` it work too."""

    process: Process
    port: int
    settings: Settings
    beside: tuple[Process, ...] = ()

    @property
    def pid(self) -> int:
        if self.process.pid is None:
            raise BenchError(f"{self.process.program.name} died. The end of its log:\n{self.process.last_lines()}")
        return self.process.pid

    def listens(self) -> bool:
        with socket.socket() as probe:
            return bool(self.pid) and probe.connect_ex((HOST, self.port)) == 0

    def cpu(self) -> float:
        """Return the CPU seconds of all its processes."""
        return cpu_seconds(self.pid)

    def cpu_beside(self) -> float:
        """Return the CPU seconds of the processes beside it."""
        return sum(cpu_seconds(one.pid) for one in self.beside if one.pid)
