"""The batch job and the Spark batch people usually write, in turns, over the same new part of the topic."""

import json
from dataclasses import dataclass

from confluent_kafka import Producer
from local import parts
from local.process import Process
from local.programs import spark_job
from local.stack import Stack
from local.topic import end_offsets

from bench import traffic
from bench.cost import BenchError, cpu_of_job

SERVERS = ("kafka", "namenode", "datanode", "metastore")
PATIENCE = 900
"""Seconds for one job."""
PLAIN_JOB = "../hack/bench/plain_job.py"
COUNT_JOB = "../hack/bench/count_job.py"
"""Seen from spark-apps, where `images/spark/run` looks."""
PLAIN_FOLDER = "/plain"


@dataclass(frozen=True)
class Load:
    """One run of a job over `events` events; `start_up` is the CPU of a run over none."""

    events: int
    seconds: float
    cpu: float
    start_up: float

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds

    @property
    def events_per_core(self) -> float:
        return self.events / self.cpu

    @property
    def events_per_core_started(self) -> float:
        """Without what Spark's start-up takes."""
        return self.events / (self.cpu - self.start_up)


@dataclass(frozen=True)
class Round:
    ours: Load
    plain: Load


class BatchBench:
    def __init__(self, stack: Stack, events: int) -> None:
        self._stack = stack
        self._events = events
        self._loaded = 0

    def rounds(self, count: int) -> list[Round]:
        rounds = []
        for number in range(1, count + 1):
            starts = end_offsets(self._stack.settings)
            self._fill()
            ends = end_offsets(self._stack.settings)
            one = Round(ours=self._ours(starts, ends), plain=self._plain(starts, ends))
            self._loaded += self._events
            print(
                f"batch round {number} of {count}: {one.ours.seconds:.0f} to {one.plain.seconds:.0f} s, "
                f"{one.ours.events_per_core:.0f} to {one.plain.events_per_core:.0f} events/s per core",
                flush=True,
            )
            rounds.append(one)
        self._check()
        return rounds

    def _fill(self) -> None:
        print(f"writing {self._events} events to the topic", flush=True)
        producer = Producer({"bootstrap.servers": self._stack.settings.bootstrap_servers, "linger.ms": 50})
        for key, value in traffic.records(self._events):
            while True:
                try:
                    producer.produce(self._stack.settings.topic, value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(60):
            raise BenchError("Kafka did not take the events of the batch job")

    def _ours(self, starts: dict[int, int], ends: dict[int, int]) -> Load:
        ranges = [f"{partition}:{start}-{ends[partition]}" for partition, start in starts.items()]
        _, start_up = self._run("batch-empty", "batch.py", "load", "--offsets", "0:0-0")
        seconds, cpu = self._run("batch", "batch.py", "load", "--offsets", *ranges)
        return Load(self._events, seconds, cpu, start_up)

    def _plain(self, starts: dict[int, int], ends: dict[int, int]) -> Load:
        _, start_up = self._run("plain-empty", PLAIN_JOB, PLAIN_FOLDER, "{}", "{}")
        seconds, cpu = self._run("plain", PLAIN_JOB, PLAIN_FOLDER, json.dumps(starts), json.dumps(ends))
        return Load(self._events, seconds, cpu, start_up)

    def _run(self, name: str, *arguments: str) -> tuple[float, float]:
        settings = self._stack.settings
        job = spark_job(settings, f"bench-{name}", *arguments)
        parts.fetch_missing(settings, job.parts)
        return cpu_of_job(Process(job, settings), PATIENCE)

    def _check(self) -> None:
        """Both must have written every event."""
        settings = self._stack.settings
        printed = self._stack.run(spark_job(settings, "bench-count", COUNT_JOB, PLAIN_FOLDER))
        rows = next(json.loads(line) for line in printed.splitlines() if line.strip().startswith('{"events"'))
        if rows != {"events": self._loaded, "plain": self._loaded}:
            raise BenchError(f"of {self._loaded} events these were written: {rows}")
