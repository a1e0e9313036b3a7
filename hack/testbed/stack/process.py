"""A process of the stack: started in the background, known by its pid file, its output in a log."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from testbed.settings import Settings

T = TypeVar("T")

TAIL = 25
"""Lines of a log that are shown."""


@dataclass(frozen=True)
class Program:
    """What to run: a server, or a job that ends (`ends`). `ports` are named as in Ports; `needs` are ready first."""

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


class Process:
    """One program as it runs, or not. Survives this interpreter: another one finds it by its pid file."""

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self.log = settings.logs / f"{program.name}.log"
        self._pid_file = settings.data / "run" / f"{program.name}.pid"
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start it, unless it runs."""
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
        # A pid alone may by then be another process's; with its start time it cannot.
        self._pid_file.write_text(f"{self._child.pid} {psutil.Process(self._child.pid).create_time()}")

    @property
    def pid(self) -> int | None:
        """The pid while it runs, else None."""
        process = self._process()
        return process.pid if process else None

    @property
    def alive(self) -> bool:
        return self._process() is not None

    @property
    def started(self) -> bool:
        """Whether it was started and not stopped: when it is not alive then, it died."""
        return self._pid_file.exists()

    @property
    def memory(self) -> int:
        """Resident bytes, children included."""
        total = 0
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def exit_code(self) -> int | None:
        """Return how a job of this interpreter ended; None while it runs, or when another started it."""
        return self._child.poll() if self._child else None

    def ready(self) -> bool:
        if self.program.ends:
            return self.exit_code() == 0
        return self.alive and self.program.probe()

    def signal(self, number: signal.Signals) -> None:
        if process := self._process():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what has not gone by then."""
        if family := self._family():
            with suppress(psutil.NoSuchProcess):
                family[0].terminate()
            _, stubborn = psutil.wait_procs(family, timeout=self.program.stop_patience)
            if stubborn:
                print(f"{self.program.name}: did not stop in {self.program.stop_patience:.0f} s: killed", flush=True)
            self._kill(stubborn)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL, children included; returns when they are gone."""
        self._kill(self._family())

    def _family(self) -> list[psutil.Process]:
        """The process and its children; empty when it is gone."""
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
            # A child is gone when it can be waited for: a JVM on its way out looks like a zombie before that.
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
        """Return the last lines of its log, since its last start where that is known."""
        return log_tail(self.log, self._log_start)


def log_tail(log: Path, start: int = 0) -> str:
    """Return the last lines of a log, of what was written after byte `start`."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"  {line[:300]}" for line in lines[-TAIL:])
