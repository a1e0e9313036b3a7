"""The running stack that faults hit, and how they find a certain moment of it."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import psutil
from lake.settings import EVENTS

from testbed.clients import sql, webhdfs
from testbed.settings import Settings
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

CHECKPOINT = "/lake/checkpoint"
METADATA = "/lake/events/metadata"

_PATIENCE = 90
"""Seconds to wait for the moment that a fault needs."""


@dataclass(frozen=True)
class Site:
    stack: Stack
    random: Random

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    def driver(self) -> psutil.Process:
        """Wait for the stream's JVM, a child of `keep-running`, and return it."""
        found: list[psutil.Process] = []

        def runs() -> bool:
            found[:] = [p for p in psutil.Process(self.stack["stream"].pid).children() if p.name() == "java"]
            return bool(found)

        wait_until("the stream's driver", runs, _PATIENCE)
        return found[0]

    def kill_driver(self) -> None:
        """Kill the JVM together with its Python process."""
        java = self.driver()
        family = [java, *java.children(recursive=True)]
        for process in family:
            process.kill()
        psutil.wait_procs(family, timeout=10)

    def batches(self, log: str) -> set[int]:
        """Return the batches in one of the checkpoint's logs, `offsets` or `commits`."""
        return {int(name) for name in webhdfs.names(self.settings, f"{CHECKPOINT}/{log}") if name.isdecimal()}

    def await_batch(self) -> int:
        """Wait until the stream has begun a batch: its offsets are logged, and its rows are not written yet."""
        before = self.batches("offsets")
        self.wait("a batch", lambda: self.batches("offsets") - before)
        return max(self.batches("offsets"))

    def await_metadata(self) -> None:
        """Wait until a writer has written the table's next metadata file, which it commits to the metastore next."""
        before = set(webhdfs.names(self.settings, METADATA))
        self.wait("a commit", lambda: _metadata(webhdfs.names(self.settings, METADATA)) - before)

    def wait(self, what: str, probe: Callable[[], object]) -> None:
        wait_until(what, probe, _PATIENCE, pause=0.002)

    def is_committed(self, batch: int) -> bool:
        """Tell whether the table has the rows of a batch in the checkpoint's `offsets` log."""
        ends = json.loads(webhdfs.read(self.settings, f"{CHECKPOINT}/offsets/{batch}").splitlines()[2])
        query = f"SELECT kafka_partition, max(kafka_offset) FROM {EVENTS} GROUP BY 1"
        last = dict(sql.ask(self.settings, query)[1])
        return all(last.get(int(partition), -1) >= end - 1 for partition, end in ends[self.settings.topic].items())

    def start_job(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a Spark job while the stream runs, and return at once; its output goes to its log."""
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
        """Run a Spark job to its end while the stream runs; raise RuntimeError if it fails."""
        if code := self.start_job(*arguments, **environment).wait(300):
            raise RuntimeError(
                f"{' '.join(arguments)} failed with exit code {code}; see its log in {self.settings.logs}"
            )


def _metadata(names: list[str]) -> set[str]:
    return {name for name in names if name.endswith(".metadata.json")}
