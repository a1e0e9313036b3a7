"""The running stack that faults hit, and how they find a certain moment of it."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import psutil
from lake.history import OFFSETS

from testbed.clients import sql, webhdfs
from testbed.clients.stream_metrics import sample
from testbed.settings import Settings
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

METADATA = "/lake/events/metadata"

_PATIENCE = 300
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

    def _count(self, metric: str) -> int:
        """Return a counter of the stream's; 0 while it restarts."""
        try:
            return int(sample(self.settings, metric))
        except (OSError, KeyError):
            return 0

    def _await_more(self, what: str, metric: str) -> float:
        """Wait until a counter of the stream's, which is 0 again after a restart, has grown; return when that was."""
        before = self._count(metric)

        def has_grown() -> bool:
            nonlocal before
            now = self._count(metric)
            grown, before = now > before, min(now, before)
            return grown

        self.wait(what, has_grown)
        return time.time()

    def await_batch(self) -> float:
        """Wait until the stream has begun a batch, whose rows are not written yet; return when that was."""
        return self._await_more("a batch", "batches_begun_total")

    def await_commit(self) -> None:
        """Wait until the stream has committed a batch."""
        self._await_more("a batch to be committed", "batch_duration_seconds_count")

    def await_metadata(self) -> None:
        """Wait until a writer has written the table's next metadata file, which it commits to the metastore next."""
        before = set(webhdfs.names(self.settings, METADATA))
        self.wait("a commit", lambda: _metadata(webhdfs.names(self.settings, METADATA)) - before)

    def wait(self, what: str, probe: Callable[[], object]) -> None:
        wait_until(what, probe, _PATIENCE, pause=0.002)

    def has_loaded(self, since: float) -> bool:
        """Tell whether rows were added to the table since a time."""
        query = (
            'SELECT coalesce(max(to_unixtime(committed_at)), 0) FROM lake.default."events$snapshots" '
            f"WHERE element_at(summary, '{OFFSETS}') IS NOT NULL AND element_at(summary, 'added-records') IS NOT NULL"
        )
        return bool(sql.ask(self.settings, query)[1][0][0] > since)

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
