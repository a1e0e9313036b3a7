"""The two writers of one topic that `connect` compares: our stream, and Kafka Connect."""

from dataclasses import replace
from typing import Protocol

from lake.settings import EVENTS

from testbed.bench.kafka_connect import TABLE, KafkaConnect
from testbed.stack import parts
from testbed.stack.process import Process
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

OURS, THEIRS = "gamelake", "Kafka Connect"
_PATIENCE = 300


class Writer(Protocol):
    """Starts in two steps, so that the costs of the process and of its load are known separately."""

    name: str
    table: str

    @property
    def process(self) -> Process:
        """The process that loads, with its children."""
        ...

    def start(self, interval: int) -> None:
        """Start the process, which is to commit every `interval` seconds, and wait until it is ready to load."""
        ...

    def load(self, interval: int) -> None:
        """Begin to load, from where the last run ended."""
        ...

    def stop(self) -> None: ...

    def mend(self) -> int:
        """Restart what does not restart by itself, as an operator would; return how much that was."""
        ...


class StreamWriter:
    name, table = OURS, EVENTS

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.process = stack["stream"]
        parts.fetch_missing(stack.settings, self.process.program.parts)

    def start(self, interval: int) -> None:
        program = self._stack["stream"].program
        environment = program.environment | {"STREAM_TRIGGER_SECONDS": str(interval)}
        self.process = Process(replace(program, environment=environment), self._stack.settings)
        self.process.start()
        wait_until("the stream", self.process.ready, _PATIENCE)

    def load(self, interval: int) -> None:
        """It has begun."""

    def stop(self) -> None:
        self.process.stop()

    def mend(self) -> int:
        return 0


class ConnectWriter:
    name, table = THEIRS, TABLE

    def __init__(self, stack: Stack) -> None:
        self._connect = KafkaConnect(stack)
        self._connect.prepare()

    @property
    def process(self) -> Process:
        return self._connect.process

    def start(self, interval: int) -> None:
        self._connect.start()

    def load(self, interval: int) -> None:
        self._connect.create_sink(interval)

    def stop(self) -> None:
        self._connect.stop()

    def mend(self) -> int:
        return self._connect.restart_failed()
