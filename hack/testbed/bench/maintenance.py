"""Files and planning time before and after maintenance of the stream's small files."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import median

from confluent_kafka import Producer

from testbed.bench import traffic
from testbed.bench.sql import connect
from testbed.clients.stream_metrics import sample
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

SERVERS = ("kafka", "namenode", "datanode", "metastore", "trino", "tables", "stream")
TRIGGER_SECONDS = 1
PLANS = 10
"""Number of queries whose planning is timed."""
WARM_UP_PLANS = 40
"""Number of queries before those: Trino starts cold, and the JVM still compiles its planner."""
RECORDS = 20
"""Records per second for each partition of the topic, approximately."""

_QUERY = "SELECT avg(cast(strength AS integer)) FROM purchases"
_FILES_OF_A_DAY = (
    'SELECT max(files) FROM (SELECT sum(file_count) AS files FROM lake.default."events$partitions" '
    "GROUP BY partition.received_at_day)"
)


@dataclass(frozen=True)
class State:
    """Data files of the day with the most, and milliseconds of planning: the median and the maximum."""

    files: int
    plan_ms: float
    most_ms: int


@dataclass(frozen=True)
class Maintained:
    batches: int
    before: State
    after: State


def measure(stack: Stack, batches: int) -> Maintained:
    """Let the stream write this many batches, then run maintenance."""
    _write_batches(stack, batches)
    stack["stream"].stop()
    before = _state(stack)
    stack.run(spark_job(stack.settings, "bench-maintain", "maintain.py"), echo=True)
    return Maintained(batches, before, _state(stack))


def _write_batches(stack: Stack, batches: int) -> None:
    print(f"waiting for {batches} small batches of the stream", flush=True)
    producer = Producer({"bootstrap.servers": stack.settings.bootstrap_servers})
    records = traffic.records(batches * 1000 * RECORDS)

    def enough() -> bool:
        _produce(stack, producer, records)
        return sample(stack.settings, "batch_duration_seconds_count") >= batches

    wait_until("the stream's batches", enough, batches * 10, pause=TRIGGER_SECONDS / 2)


def _produce(stack: Stack, producer: Producer, records: Iterator[tuple[bytes, bytes]]) -> None:
    for partition in range(stack.settings.partitions):
        for key, value in islice(records, RECORDS // 2):
            producer.produce(stack.settings.topic, value, key, partition)
    producer.flush(10)


def _state(stack: Stack) -> State:
    with connect(stack.settings) as trino:
        [[files]] = trino.run(_FILES_OF_A_DAY).rows
        plans = [trino.planning_ms(_QUERY) for _ in range(WARM_UP_PLANS + PLANS)][WARM_UP_PLANS:]
    print(f"{files} files in a day; planning took {', '.join(map(str, plans))} ms", flush=True)
    return State(int(files), median(plans), max(plans))
