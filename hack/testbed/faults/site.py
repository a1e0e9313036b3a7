"""Where faults happen: a running stack, and what they need to know of it to hit a certain moment."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import psutil

from testbed.clients import sql, webhdfs
from testbed.settings import Settings
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

CHECKPOINT = "/lake/checkpoint"
METADATA = "/lake/events/metadata"
EVENTS = "lake.default.events"

_PATIENCE = 90
"""Seconds until the moment comes that a fault waits for."""


@dataclass(frozen=True)
class Site:
    stack: Stack
    random: Random

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    def driver(self) -> psutil.Process:
        """The stream's JVM, below what keeps it running; waits for it."""
        found: list[psutil.Process] = []

        def look() -> bool:
            found[:] = [p for p in psutil.Process(self.stack["stream"].pid).children() if p.name() == "java"]
            return bool(found)

        wait_until("the stream's driver", look, _PATIENCE)
        return found[0]

    def kill_driver(self) -> None:
        """Kill the JVM and, with it gone, the Python that it runs."""
        java = self.driver()
        family = [java, *java.children(recursive=True)]
        for process in family:
            process.kill()
        psutil.wait_procs(family, timeout=10)

    def batches(self, log: str) -> set[int]:
        """The batches that the checkpoint's log (`offsets` or `commits`) knows."""
        return {int(name) for name in webhdfs.names(self.settings, f"{CHECKPOINT}/{log}") if name.isdecimal()}

    def await_batch(self) -> int:
        """Wait until the stream has begun a batch: its offsets are logged, its rows are not written yet."""
        before = self.batches("offsets")
        self.wait("a batch", lambda: self.batches("offsets") - before)
        return max(self.batches("offsets"))

    def await_metadata(self) -> None:
        """Wait until a writer has written the table's next metadata, which it then commits to the metastore."""
        before = set(webhdfs.names(self.settings, METADATA))
        self.wait("a commit", lambda: _metadata(webhdfs.names(self.settings, METADATA)) - before)

    def wait(self, what: str, probe: Callable[[], object]) -> None:
        wait_until(what, probe, _PATIENCE, pause=0.002)

    def is_committed(self, batch: int) -> bool:
        """Whether the table has the rows of a batch that the checkpoint's log of offsets knows."""
        ends = json.loads(webhdfs.read(self.settings, f"{CHECKPOINT}/offsets/{batch}").splitlines()[2])
        query = f"SELECT kafka_partition, max(kafka_offset) FROM {EVENTS} GROUP BY 1"
        last = dict(sql.ask(self.settings, query)[1])
        return all(last.get(int(partition), -1) >= end - 1 for partition, end in ends[self.settings.topic].items())

    def start_job(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a Spark job beside the stream, and return at once; what it says is in its log."""
        program = spark_job(self.settings, arguments[0].removesuffix(".py"), *arguments)
        with (self.settings.logs / f"{program.name}.log").open("ab") as log:
            return subprocess.Popen(
                program.command,
                env={**os.environ, **program.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run_job(self, *arguments: str, **environment: str) -> None:
        """Run a Spark job beside the stream to its end; RuntimeError if it failed."""
        if code := self.start_job(*arguments, **environment).wait(300):
            raise RuntimeError(f"{' '.join(arguments)} ended with {code}; see its log in {self.settings.logs}")


def _metadata(names: list[str]) -> set[str]:
    return {name for name in names if name.endswith(".metadata.json")}
