"""The cost of a run: CPU seconds and memory of a process and all its children."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import psutil

from testbed.stack.process import Process

SAMPLE_SECONDS = 0.1


class BenchError(RuntimeError):
    """A measurement failed."""


def run_module(name: str, *arguments: object, timeout: float, given: str = "") -> dict[str, Any]:
    """Run a module of this package as a process of its own; `given` is its input. Return the JSON that it prints."""
    command = [sys.executable, "-m", f"testbed.bench.{name}", *map(str, arguments)]
    try:
        # In a session of its own it gets no Ctrl-C: subprocess.run kills it when this process is interrupted.
        done = subprocess.run(
            command, input=given.encode(), stdout=subprocess.PIPE, start_new_session=True, check=True, timeout=timeout
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"testbed.bench.{name}: {error}") from error
    return dict(json.loads(done.stdout))


def cpu_seconds(pid: int) -> float:
    """Return user and system time so far, including children that are alive or were waited for."""
    process = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:4]) for one in (process, *process.children(recursive=True)))


def worker_memory(pid: int) -> dict[str, int]:
    """Return the memory in bytes of the largest child: resident, proportional and unique set size."""
    largest = max((child.memory_full_info() for child in psutil.Process(pid).children()), key=lambda one: one.rss)
    return {"RSS": largest.rss, "PSS": largest.pss, "USS": largest.uss}


class CpuMeter:
    """CPU seconds of a job and all its children.

    Spark's Python daemon ignores SIGCHLD, so the kernel does not add its workers' time to it. The meter samples all
    processes instead, and misses at most what each process does after its last sample.
    """

    def __init__(self, job: Process) -> None:
        self._job = job
        self._used: dict[psutil.Process, float] = {}

    def read(self) -> float:
        """Take a sample, and return the CPU seconds so far."""
        with suppress(psutil.NoSuchProcess):
            if pid := self._job.pid:
                process = psutil.Process(pid)
                for one in (process, *process.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess):
                        self._used[one] = sum(one.cpu_times()[:2])
        return sum(self._used.values())


def cpu_of_job(job: Process, patience: float) -> tuple[float, float]:
    """Run a job to its end, and return its wall and CPU seconds."""
    meter = CpuMeter(job)
    began = time.monotonic()
    job.start()
    try:
        while job.exit_code() is None:
            if time.monotonic() - began > patience:
                raise BenchError(f"{job.program.name} took longer than {patience:.0f} s")
            meter.read()
            time.sleep(SAMPLE_SECONDS)
        seconds = time.monotonic() - began
        if job.exit_code():
            raise BenchError(f"{job.program.name} failed. The end of its log:\n{job.last_lines()}")
    finally:
        job.stop()
    return seconds, meter.read()
