"""What a run costs: CPU seconds and memory of a process and all its children."""

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
    """Something could not be measured."""


def run_module(name: str, *arguments: object, timeout: float) -> dict[str, Any]:
    """Run a module of this package as a process of its own; return the JSON it prints."""
    command = [sys.executable, "-m", f"testbed.bench.{name}", *map(str, arguments)]
    try:
        # In a session of its own Ctrl-C does not reach it: it is killed when this process goes on.
        done = subprocess.run(command, stdout=subprocess.PIPE, start_new_session=True, check=True, timeout=timeout)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"testbed.bench.{name}: {error}") from error
    return dict(json.loads(done.stdout))


def cpu_seconds(pid: int) -> float:
    """User and system time so far, children included: living ones, and those that were waited for."""
    process = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:4]) for one in (process, *process.children(recursive=True)))


def worker_memory(pid: int) -> dict[str, int]:
    """Bytes of the largest child: resident, its share of what is shared, and its own alone."""
    largest = max((child.memory_full_info() for child in psutil.Process(pid).children()), key=lambda one: one.rss)
    return {"RSS": largest.rss, "PSS": largest.pss, "USS": largest.uss}


class CpuMeter:
    """CPU seconds of a job and all its children.

    Spark's Python daemon ignores SIGCHLD, so nobody is told what its workers took: all processes are sampled instead,
    which misses at most what each does after its last sample.
    """

    def __init__(self, job: Process) -> None:
        self._job = job
        self._taken: dict[psutil.Process, float] = {}

    def read(self) -> float:
        """Take a sample, and return the CPU seconds so far."""
        with suppress(psutil.NoSuchProcess):
            if pid := self._job.pid:
                process = psutil.Process(pid)
                for one in (process, *process.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess):
                        self._taken[one] = sum(one.cpu_times()[:2])
        return sum(self._taken.values())


def cpu_of_job(job: Process, patience: float) -> tuple[float, float]:
    """Run a job to its end; return its wall and its CPU seconds."""
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
