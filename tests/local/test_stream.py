"""The stream: every offset becomes one row within seconds, despite kills, retries and bad records."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import psutil
import pytest
import requests
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from testbed.clients import topic, webhdfs
from testbed.clients.freshness import freshness
from testbed.clients.stream_metrics import StreamState, stream_state
from testbed.faults.site import CHECKPOINT
from testbed.settings import HOST, Settings
from testbed.simulator.scenario import QUERIES
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.local.traffic import swords
from tests.poison import EXAMPLES, HOSTILE_HEADERS, HOSTILE_KEYS, HOSTILE_TIMESTAMPS, POISON, SWORD

PATIENCE = 120


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with the stream that creates the tables itself, because the job `tables` has not run."""
    one = Stack(replace(Settings.isolated(tmp_path_factory.mktemp("stream")), trigger_seconds=2))
    try:
        one.up([name for name in one.names if name not in ("tables", "maintenance")])
        yield one
    finally:
        one.down()


@pytest.fixture(scope="module")
def lake(stack: Stack) -> Lake:
    return Lake(stack)


def wait_for_rows(lake: Lake) -> None:
    """Wait until every offset of the topic is a row, and check that each is exactly one."""
    count = len(lake.offsets())
    wait_until("all offsets to be rows", lambda: lake.count() >= count, PATIENCE, pause=0.5)
    assert lake.places() == sorted(lake.offsets())


def driver(stack: Stack) -> psutil.Process:
    """Return the JVM of the stream, a child of `keep-running`."""
    [java] = [child for child in psutil.Process(stack["stream"].pid).children() if child.name() == "java"]
    return java


def batches(stack: Stack, log: str) -> set[int]:
    return {int(name) for name in webhdfs.names(stack.settings, f"{CHECKPOINT}/{log}") if name.isdecimal()}


def state(stack: Stack) -> StreamState:
    """Return the stream's state; wait for it, because a stream that is restarting does not answer."""
    return wait_until("the stream", lambda: stream_state(stack.settings), PATIENCE)


def log(stack: Stack) -> str:
    return stack["stream"].log.read_text()


def test_stream_first_then_tables_then_query(lake: Lake, stack: Stack) -> None:
    """Files that the stream wrote before the tables job stay unchanged, and queries read them."""
    lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
    wait_until("the stream's files", lambda: lake.files("/lake/events/data"), PATIENCE)
    wait_until("its commit", lambda: batches(stack, "commits") == batches(stack, "offsets"), PATIENCE)
    files = lake.files("/lake/events/data")
    for _ in range(2):
        lake.job("tables.py")
        assert lake.files("/lake/events/data") >= files
        assert lake.places() == sorted(lake.offsets())
    assert all(lake.ask(query) for query in QUERIES)


def test_bad_records_are_rows(lake: Lake) -> None:
    """Every kind of invalid event becomes a row too, and the stream continues."""
    places = lake.write(value for value, _ in POISON.values())
    wait_for_rows(lake)
    kept = {
        (partition, offset)
        for partition, offset in lake.ask("SELECT kafka_partition, kafka_offset FROM rejected_events")
    }
    assert set(places) <= kept


def test_hostile_keys_headers_and_times(lake: Lake) -> None:
    """Records with any keys, headers and times become rows, and Python's client can read their times."""
    sword = json.dumps(SWORD).encode()
    hostile = [(key, value, [], 0) for key in HOSTILE_KEYS for value in (sword, b"no event")]
    hostile += [(b"knight1", value, headers, 0) for headers in HOSTILE_HEADERS for value in (sword, b"no event")]
    hostile += [(b"knight1", value, [], time) for time in HOSTILE_TIMESTAMPS for value in (sword, b"no event")]
    places = lake.write_as_they_are(hostile)
    wait_for_rows(lake)
    shown = {
        (partition, offset): (timestamp, key)
        for timestamp, key, partition, offset in lake.ask(
            "SELECT timestamp, raw_key, kafka_partition, kafka_offset FROM rejected_events"
        )
    }
    rejected = {place: record for place, record in places.items() if record[1] == b"no event"}
    assert {place: key for place, (_, key) in shown.items() if place in rejected} == {
        place: key for place, (key, *_) in rejected.items()
    }
    times = lake.ask("SELECT kafka_timestamp, received_at FROM lake.default.events")
    assert {time.year for row in times for time in row} <= set(range(1970, 2101))


def test_transactions(lake: Lake, stack: Stack) -> None:
    """Committed records are rows and aborted ones are not; a marker at the last offset is no lag."""
    lake.transact(swords(3), commit=True)
    lake.transact([json.dumps(SWORD | {"event_id": "aborted"}).encode()], commit=False)
    wait_for_rows(lake)
    wait_until("no lag", lambda: state(stack).lag == 0, PATIENCE)
    assert lake.ask("SELECT count(*) FROM lake.default.events WHERE event_id = 'aborted'") == [[0]]
    assert freshness(stack.settings).startswith("Trino's newest row is 0.0 s older")


def test_metrics(lake: Lake, stack: Stack) -> None:
    """The metrics count rows and rejected rows, and the lag is zero when all offsets are rows."""
    before = state(stack)
    lake.write([*swords(5), b"no event"])
    wait_for_rows(lake)
    wait_until("the metrics", lambda: state(stack).rows > before.rows, 30)
    after = state(stack)
    assert (after.rows - before.rows, after.rejected - before.rejected, after.lag) == (6, 1, 0)
    assert after.last_commit_age < 30
    assert after.last_batch_seconds > 0


def test_sigterm_finishes_the_batch(lake: Lake, stack: Stack) -> None:
    """After SIGTERM in the middle of a batch, the stream commits it and ends; restarted, it continues."""
    started = batches(stack, "offsets")
    lake.write(swords(5_000))
    wait_until("a batch", lambda: batches(stack, "offsets") - started, PATIENCE, pause=0.01)
    running = max(batches(stack, "offsets"))
    java = driver(stack)
    java.send_signal(signal.SIGTERM)
    java.wait(60)
    assert running in batches(stack, "commits")
    assert log(stack).count("stopped\n") == 1
    wait_for_rows(lake)


def test_killed_repeatedly(lake: Lake, stack: Stack) -> None:
    """Killed in the middle of its batches, the stream restarts, and every offset is one row."""
    for _ in range(3):
        state(stack)
        started = batches(stack, "offsets")
        lake.write(swords(5_000))
        wait_until("a batch", lambda started=started: batches(stack, "offsets") - started, PATIENCE, pause=0.01)
        driver(stack).kill()
    wait_for_rows(lake)


def test_a_batch_that_runs_again(lake: Lake, stack: Stack) -> None:
    """Batches whose commit is missing in the checkpoint run again, and double nothing."""
    lake.write(swords(100))
    wait_for_rows(lake)
    wait_until("the commit log", lambda: batches(stack, "commits") == batches(stack, "offsets"), PATIENCE)
    stack["stream"].stop()
    last = max(batches(stack, "commits"))
    assert webhdfs.delete(stack.settings, f"{CHECKPOINT}/commits/{last}")
    lake.write(swords(100))
    stack.up(["stream"])
    wait_for_rows(lake)
    assert last in batches(stack, "commits")


def test_a_lost_checkpoint(lake: Lake, stack: Stack) -> None:
    """Without its checkpoint the stream reads the topic from the start, and doubles nothing."""
    stack["stream"].stop()
    assert webhdfs.delete(stack.settings, CHECKPOINT)
    lake.write(swords(100))
    stack.up(["stream"])
    wait_for_rows(lake)
    wait_until("the whole topic to be read again", lambda: state(stack).lag == 0, PATIENCE)
    assert lake.places() == sorted(lake.offsets())


def test_batch_jobs_beside_it(lake: Lake) -> None:
    """Batch jobs that write the same offsets as the running stream double nothing."""
    for _ in range(2):
        job = lake.start_job("batch.py", "load")
        while job.poll() is None:
            lake.write(swords(50))
            with suppress(psutil.TimeoutExpired):
                job.wait(0.5)
        assert job.returncode == 0, job.communicate()[0]
    wait_for_rows(lake)


def test_a_second_stream_is_refused(lake: Lake, stack: Stack) -> None:
    """A second stream on the same checkpoint ends at once, names the first one, and does not disturb it."""
    running = driver(stack)
    second = spark_job(stack.settings, "job", "stream.py")
    program = replace(second, environment={**second.environment, "METRICS_PORT": str(stack.settings.ports.free().api)})
    job = lake.start(program)
    printed = job.communicate(timeout=PATIENCE)[0]
    assert job.returncode == 1
    assert "error: another stream is using" in printed
    [named] = set(re.findall(r"is using .*, process (\d+)\.", printed))
    assert int(named) in {child.pid for child in running.children(recursive=True)}
    lake.write(swords(10))
    wait_for_rows(lake)
    assert driver(stack) == running


def namenode(stack: Stack, bean: str) -> dict[str, str]:
    """Return one of the NameNode's JMX beans."""
    where = f"http://{HOST}:{stack.settings.ports.namenode_http}/jmx"
    answer = requests.get(where, {"qry": f"Hadoop:service=NameNode,name={bean}"}, timeout=5)
    return dict(answer.json()["beans"][0])


def test_an_idle_stream_writes_no_edits(stack: Stack) -> None:
    """While the stream is idle, the NameNode's edit log does not grow."""

    def edits() -> int:
        return int(json.loads(namenode(stack, "NameNodeInfo")["JournalTransactionInfo"])["LastAppliedOrWrittenTxId"])

    def lookups() -> int:
        return int(namenode(stack, "NameNodeActivity")["FileInfoOps"])

    def nothing_is_written() -> bool:
        before, looked_up = edits(), lookups()
        wait_until("the stream to read its checkpoint", lambda: lookups() > looked_up + 20, PATIENCE)
        return edits() == before

    wait_until("a while without an edit", nothing_is_written, PATIENCE)


def test_it_fails_with_its_cause_and_recovers(lake: Lake, stack: Stack) -> None:
    """A fatal error ends the stream with the cause first in its log; once that is repaired, it continues by itself."""
    seen = len(log(stack))
    lake.ask("ALTER TABLE lake.default.events DROP COLUMN guild")
    lake.write(swords(10))
    wait_until("the failure", lambda: ": restarting" in log(stack)[seen:], PATIENCE)
    # A restart adds missing columns.
    wait_for_rows(lake)
    first, *_ = (line for line in log(stack)[seen:].splitlines() if "error" in line.lower())
    assert first.startswith("error: the stream ended: ")
    assert "Cannot write to `lake`.`default`.`events`" in first
    assert "guild" in log(stack)[seen:]


def test_offsets_that_kafka_dropped(lake: Lake, stack: Stack) -> None:
    """Offsets that Kafka dropped before they were read stop the stream with a clear message instead of a gap."""
    stack["stream"].stop()
    places = lake.places()
    lake.write(swords(10))
    settings = stack.settings
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    ends = topic.end_offsets(settings)
    dropped = [TopicPartition(settings.topic, partition, end) for partition, end in ends.items()]
    for deleted in admin.delete_records(dropped).values():
        deleted.result()
    seen = len(log(stack))
    stack["stream"].start()
    wait_until("the failure", lambda: ": restarting" in log(stack)[seen:], PATIENCE)
    [error, *_] = re.findall(r"^error: the stream ended: .*(?:\n  and so: .*)*", log(stack)[seen:], re.MULTILINE)
    assert "OffsetOutOfRangeException" in error
    assert "Some data may have been lost because they are not available in Kafka any more" in error
    assert lake.places() == places
