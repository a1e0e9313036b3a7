"""A background process of the stack, with a pid file and a log."""

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals
from typing import TypeVar

import psutil

from testbed.settings import ROOT, Settings

T = TypeVar("T")

TAIL = 25
"""Number of lines shown of a log."""


_KEEP_RUNNING = str(ROOT / "hack/testbed/stack/keep-running")


@dataclass(frozen=True)
class Program:
    """What to run: a server, or a job that ends by itself (`ends`).

    `ports` are names of Ports; `needs` are programs that have to be ready first; `parts` are fetched before.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    probe: Callable[[], bool] = lambda: True
    ports: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    ends: bool = False
    patience: float = 180
    stop_patience: float = 30
    parts: tuple[str, ...] = ()

    def kept_running(self) -> "Program":
        """Return the same program, restarted whenever it ends."""
        return replace(self, command=[_KEEP_RUNNING, *self.command], ends=False)

    @property
    def is_kept_running(self) -> bool:
        return self.command[0] == _KEEP_RUNNING


class Process:
    """A program that may be running. It outlives this interpreter: another one finds it by its pid file."""

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self.log = settings.logs / f"{program.name}.log"
        self._pid_file = settings.data / "run" / f"{program.name}.pid"
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start the program, unless it is running."""
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._child = subprocess.Popen(
                self.program.command,
                env={**os.environ, **self.program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # The system may give the pid to another process later; pid and start time together stay unique.
        self._pid_file.write_text(f"{self._child.pid} {psutil.Process(self._child.pid).create_time()}")

    @property
    def pid(self) -> int | None:
        """Return the pid, or None if it is not running."""
        process = self._process()
        return process.pid if process else None

    @property
    def alive(self) -> bool:
        return self._process() is not None

    @property
    def started(self) -> bool:
        """Tell whether it was started and not stopped: if it is not alive then, it died."""
        return self._pid_file.exists()

    @property
    def memory(self) -> int:
        """Return the resident memory in bytes, including children."""
        total = 0
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def exit_code(self) -> int | None:
        """Return the exit code of a job; None while it runs, or if another interpreter started it."""
        return self._child.poll() if self._child else None

    def ready(self) -> bool:
        if self.program.ends:
            return self.exit_code() == 0
        return self.alive and self.program.probe()

    def signal(self, number: Signals) -> None:
        if process := self._process():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def strike(self, number: Signals, for_good: bool = False) -> None:
        """Send a signal to the program and its children; to `keep-running`, which starts it again, only `for_good`."""
        for process in self.family()[1 if self.program.is_kept_running and not for_good else 0 :]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL to processes that have not ended after `stop_patience`."""
        if family := self.family():
            with suppress(psutil.NoSuchProcess):
                family[0].terminate()
            _, stubborn = psutil.wait_procs(family, timeout=self.program.stop_patience)
            if stubborn:
                print(f"{self.program.name}: did not stop in {self.program.stop_patience:.0f} s: killed", flush=True)
            self._kill(stubborn)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Send SIGKILL to it and its children, and wait until they have ended."""
        self._kill(self.family())

    def family(self) -> list[psutil.Process]:
        """Return the process and its children; nothing if it has ended."""
        process = self._process()
        with suppress(psutil.NoSuchProcess):
            return [process, *process.children(recursive=True)] if process else []
        return []

    def _kill(self, family: list[psutil.Process]) -> None:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
        if self._child:
            self._child.poll()

    def _process(self) -> psutil.Process | None:
        try:
            # A child has ended once it can be waited for: before that, a JVM that is exiting looks like a zombie.
            if self._child:
                return None if self._child.poll() is not None else psutil.Process(self._child.pid)
            pid, created = self._pid_file.read_text().split()
            process = psutil.Process(int(pid))
            if abs(process.create_time() - float(created)) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            pass
        return None

    def last_lines(self) -> str:
        """Return the last lines of its log, of this run if this interpreter started it."""
        return log_tail(self.log, self._log_start)


def log_tail(log: Path, start: int = 0) -> str:
    """Return the last lines of a log, starting from byte `start`."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"  {line[:300]}" for line in lines[-TAIL:])
