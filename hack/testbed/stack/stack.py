"""The stack: starts its programs in order, waits until they are ready, and stops them in reverse order."""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from testbed.settings import Settings, SettingsError, is_taken
from testbed.stack import hdfs_client, parts
from testbed.stack.hdfs import namenodes
from testbed.stack.process import TAIL, Process, Program, log_tail
from testbed.stack.programs import programs


class StackError(RuntimeError):
    """A program of the stack died or did not become ready; the message ends with the last lines of its log."""


class Stack:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._processes = {program.name: Process(program, settings) for program in programs(settings)}

    def __getitem__(self, name: str) -> Process:
        return self._processes[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._processes)

    def up(self, names: Sequence[str] | None = None) -> None:
        """Start the programs that are not running, and wait until all are ready.

        If that fails, the programs that this call started are stopped.
        """
        chosen = [self[name] for name in names] if names is not None else list(self._processes.values())
        missing = [process for process in chosen if not process.alive]
        self._check_ports(missing)
        parts.fetch_missing(self.settings, tuple(dict.fromkeys(part for p in chosen for part in p.program.parts)))
        with self._lock():
            try:
                hdfs_client.write(self.settings.hdfs_client, *namenodes(self.settings))
                self._start(chosen)
            except BaseException:
                for process in reversed(missing):
                    process.stop()
                raise

    def down(self) -> None:
        for process in reversed(self._processes.values()):
            if process.alive:
                print(f"stopping {process.program.name}", flush=True)
            process.stop()

    def run(self, job: Program, echo: bool = False) -> str:
        """Run a job to its end and return its output; raise StackError if it fails.

        Its stderr goes to its log; `echo` prints its stdout while it runs.
        """
        parts.fetch_missing(self.settings, job.parts)
        log = self.settings.logs / f"{job.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        printed = []
        # Append: a server of the same name may be writing to this log.
        with log.open("ab") as errors:
            start = errors.tell()
            running = subprocess.Popen(
                job.command,
                env={**os.environ, **job.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            try:
                for line in running.stdout or ():
                    printed.append(line)
                    if echo:
                        print(f"  {line}", end="", flush=True)
                code = running.wait()
            finally:
                running.terminate()
        if code:
            output = "".join(f"  {line}" for line in printed[-TAIL:])
            raise StackError(
                f"{job.name} failed with exit code {code}:\n{output}The end of {log}:\n{log_tail(log, start)}"
            )
        return "".join(printed)

    @property
    def any_alive(self) -> bool:
        return any(process.alive for process in self._processes.values())

    def kill(self) -> None:
        """Send SIGKILL to every program at once, as a power cut would."""
        with ThreadPoolExecutor(len(self._processes)) as pool:
            list(pool.map(Process.kill, self._processes.values()))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.settings.data.mkdir(parents=True, exist_ok=True)
        with (self.settings.data / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(
                    f"{self.settings.data}: another process is starting the stack in this folder"
                ) from None
            yield

    def status(self) -> list[tuple[str, str, int | None, int]]:
        """Return the name, state, pid and resident memory in bytes of every server."""
        rows = []
        for name, process in self._processes.items():
            if process.program.ends:
                continue
            if process.alive:
                state = "ready" if process.program.probe() else "not ready"
            else:
                state = "died" if process.started else "down"
            rows.append((name, state, process.pid, process.memory))
        return rows

    def _check_ports(self, processes: list[Process]) -> None:
        taken = []
        for process in processes:
            for port in process.program.ports:
                number = getattr(self.settings.ports, port)
                if is_taken(number):
                    name = process.program.name
                    taken.append(f"{port.upper()}_PORT: expected a free port for {name}, got {number}, which is taken")
        if taken:
            raise SettingsError(
                "\n".join([*taken, "Stop the processes that listen on them, or set these variables to other ports."])
            )

    def _start(self, processes: list[Process]) -> None:
        started = time.monotonic()
        waiting = {process.program.name: process for process in processes}
        since: dict[str, float] = {}
        while waiting:
            for name, process in list(waiting.items()):
                if any(name in waiting for name in process.program.needs):
                    continue
                if name not in since:
                    since[name] = time.monotonic()
                    process.start()
                if process.ready():
                    print(f"[{time.monotonic() - started:5.1f} s] {name} {_done(process)}", flush=True)
                    del waiting[name]
                else:
                    self._check_health(process, since[name])
            time.sleep(0.2)

    def _check_health(self, process: Process, since: float) -> None:
        name = process.program.name
        if not process.alive and not process.ready():
            raise StackError(f"{name} died. The end of {process.log}:\n{process.last_lines()}")
        if time.monotonic() - since > process.program.patience:
            patience = f"{process.program.patience:.0f} s"
            raise StackError(f"{name} was not ready in {patience}. The end of {process.log}:\n{process.last_lines()}")


def _done(process: Process) -> str:
    return "done" if process.program.ends else "ready"
