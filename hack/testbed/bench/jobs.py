"""Runs of Spark jobs over a part of the topic, and their cost."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from testbed.bench import traffic
from testbed.bench.cost import BenchError, cpu_of_job
from testbed.clients.topic import end_offsets
from testbed.stack import parts
from testbed.stack.process import Process
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

SERVERS = ("kafka", "namenode", "datanode", "metastore")
"""Servers that the jobs need."""
PATIENCE = 900
"""Seconds for one job."""
PLAIN_JOB = "../hack/testbed/bench/plain_job.py"
COUNT_JOB = "../hack/testbed/bench/count_job.py"
"""Relative to spark-apps, where `images/spark/run` looks for jobs."""
PLAIN_FOLDER = "/plain"

Offsets = dict[int, int]
"""By partition."""


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of one run."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Load:
    """One run of a job over `events` events; `start_up` is the cost of a run over none."""

    events: int
    whole: Cost
    start_up: Cost

    @property
    def events_per_second(self) -> float:
        return self.events / self.whole.seconds

    @property
    def events_per_second_started(self) -> float:
        """Excludes Spark's start-up time."""
        return self.events / (self.whole.seconds - self.start_up.seconds)

    @property
    def events_per_core(self) -> float:
        return self.events / self.whole.cpu

    @property
    def events_per_core_started(self) -> float:
        """Excludes the CPU time of Spark's start-up."""
        return self.events / (self.whole.cpu - self.start_up.cpu)


@dataclass(frozen=True)
class Round:
    """Our job and the plain one, over the same part of the topic."""

    ours: Load
    plain: Load


def alternate(
    stack: Stack, count: int, events: int, ours: Callable[[Offsets, Offsets], Load], summary: Callable[[Round], str]
) -> list[Round]:
    """Run our job and the plain one in `count` rounds, each over `events` new events, and check what they wrote."""
    rounds = []
    for number in range(1, count + 1):
        starts = end_offsets(stack.settings)
        traffic.fill(stack.settings, events)
        ends = end_offsets(stack.settings)
        one = Round(ours=ours(starts, ends), plain=plain_load(stack, starts, ends))
        print(f"round {number} of {count}: {summary(one)}", flush=True)
        rounds.append(one)
    _check_written(stack, count * events)
    return rounds


def run_job(stack: Stack, name: str, *arguments: str) -> Cost:
    """Run a job of `spark-apps` to its end."""
    job = spark_job(stack.settings, f"bench-{name}", *arguments)
    parts.fetch_missing(stack.settings, job.parts)
    return Cost(*cpu_of_job(Process(job, stack.settings), PATIENCE))


def plain_load(stack: Stack, starts: Offsets, ends: Offsets) -> Load:
    """Run the plain Spark batch over this part of the topic."""
    start_up = run_job(stack, "plain-empty", PLAIN_JOB, PLAIN_FOLDER, "{}", "{}")
    whole = run_job(stack, "plain", PLAIN_JOB, PLAIN_FOLDER, json.dumps(starts), json.dumps(ends))
    return Load(sum(ends.values()) - sum(starts.values()), whole, start_up)


def _check_written(stack: Stack, events: int) -> None:
    """Raise BenchError unless the table and the plain files hold this many events each."""
    printed = stack.run(spark_job(stack.settings, "bench-count", COUNT_JOB, PLAIN_FOLDER))
    rows = next(json.loads(line) for line in printed.splitlines() if line.strip().startswith('{"events"'))
    if rows != {"events": events, "plain": events}:
        raise BenchError(f"rows: expected {events} in the table and the plain files, got {rows}")
