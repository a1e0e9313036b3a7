"""Runs of Spark jobs over a part of the topic, and what they cost."""

import json
from dataclasses import dataclass

from testbed.bench.cost import BenchError, cpu_of_job
from testbed.stack import parts
from testbed.stack.process import Process
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

SERVERS = ("kafka", "namenode", "datanode", "metastore")
"""What they need."""
PATIENCE = 900
"""Seconds for one job."""
PLAIN_JOB = "../hack/testbed/bench/plain_job.py"
COUNT_JOB = "../hack/testbed/bench/count_job.py"
"""Seen from spark-apps, where `images/spark/run` looks."""
PLAIN_FOLDER = "/plain"

Offsets = dict[int, int]
"""By partition."""


@dataclass(frozen=True)
class Cost:
    """Of one run: wall and CPU seconds."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Load:
    """One run of a job over `events` events; `start_up` is what it takes over none."""

    events: int
    whole: Cost
    start_up: Cost

    @property
    def events_per_second(self) -> float:
        return self.events / self.whole.seconds

    @property
    def events_per_second_started(self) -> float:
        """Without the time of Spark's start-up."""
        return self.events / (self.whole.seconds - self.start_up.seconds)

    @property
    def events_per_core(self) -> float:
        return self.events / self.whole.cpu

    @property
    def events_per_core_started(self) -> float:
        """Without the CPU of Spark's start-up."""
        return self.events / (self.whole.cpu - self.start_up.cpu)


@dataclass(frozen=True)
class Round:
    """Our job and the plain one, over the same part of the topic."""

    ours: Load
    plain: Load


def run_job(stack: Stack, name: str, *arguments: str) -> Cost:
    """Run a job of `spark-apps` to its end."""
    job = spark_job(stack.settings, f"bench-{name}", *arguments)
    parts.fetch_missing(stack.settings, job.parts)
    return Cost(*cpu_of_job(Process(job, stack.settings), PATIENCE))


def plain_load(stack: Stack, starts: Offsets, ends: Offsets) -> Load:
    """Let the batch people usually write have this part of the topic."""
    start_up = run_job(stack, "plain-empty", PLAIN_JOB, PLAIN_FOLDER, "{}", "{}")
    whole = run_job(stack, "plain", PLAIN_JOB, PLAIN_FOLDER, json.dumps(starts), json.dumps(ends))
    return Load(sum(ends.values()) - sum(starts.values()), whole, start_up)


def check_written(stack: Stack, events: int) -> None:
    """Raise BenchError unless both, the table and the plain files, hold so many events."""
    printed = stack.run(spark_job(stack.settings, "bench-count", COUNT_JOB, PLAIN_FOLDER))
    rows = next(json.loads(line) for line in printed.splitlines() if line.strip().startswith('{"events"'))
    if rows != {"events": events, "plain": events}:
        raise BenchError(f"of {events} events these were written: {rows}")
