"""The stream: every offset becomes one row within seconds, whatever happens to it meanwhile."""

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
from testbed.settings import HOST, Settings
from testbed.simulator.scenario import QUERIES
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.poison import EXAMPLES, HOSTILE_HEADERS, HOSTILE_KEYS, HOSTILE_TIMESTAMPS, POISON, SWORD

CHECKPOINT = "/lake/checkpoint"
PATIENCE = 120


def swords(count: int) -> list[bytes]:
    return [json.dumps(SWORD | {"event_id": f"sword-{number}"}).encode() for number in range(count)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with the stream and without the tables: nobody has made them before it."""
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
    """Wait until every offset of the topic is a row; then each is exactly one."""
    count = len(lake.offsets())
    wait_until("all offsets to be rows", lambda: lake.count() >= count, PATIENCE, pause=0.5)
    assert lake.places() == sorted(lake.offsets())


def driver(stack: Stack) -> psutil.Process:
    """The JVM of the stream, below what keeps it running."""
    [java] = [child for child in psutil.Process(stack["stream"].pid).children() if child.name() == "java"]
    return java


def batches(stack: Stack, log: str) -> set[int]:
    return {int(name) for name in webhdfs.names(stack.settings, f"{CHECKPOINT}/{log}") if name.isdecimal()}


def state(stack: Stack) -> StreamState:
    """What the stream says of itself; waits for it, since one that is about to be started again may not answer."""
    return wait_until("the stream", lambda: stream_state(stack.settings), PATIENCE)


def log(stack: Stack) -> str:
    return stack["stream"].log.read_text()


def test_stream_first_then_tables_then_query(lake: Lake, stack: Stack) -> None:
    """Files that the stream has landed before the tables were made stay as they are, and are what queries read."""
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
    """A record of any kind that is no valid event is a row too, and the stream goes on."""
    places = lake.write(value for value, _ in POISON.values())
    wait_for_rows(lake)
    kept = {
        (partition, offset)
        for partition, offset in lake.ask("SELECT kafka_partition, kafka_offset FROM rejected_events")
    }
    assert set(places) <= kept


def test_times_that_nothing_can_show(lake: Lake) -> None:
    """Records are rows whatever their keys, headers and times are; Python's client shows a time of each."""
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
    """Committed records are rows and aborted ones are not; there is no lag where the last offset is a marker."""
    lake.transact(swords(3), commit=True)
    lake.transact([json.dumps(SWORD | {"event_id": "aborted"}).encode()], commit=False)
    wait_for_rows(lake)
    wait_until("no lag", lambda: state(stack).lag == 0, PATIENCE)
    assert lake.ask("SELECT count(*) FROM lake.default.events WHERE event_id = 'aborted'") == [[0]]
    assert freshness(stack.settings).startswith("Trino's newest row is 0.0 s older")


def test_it_tells_prometheus(lake: Lake, stack: Stack) -> None:
    """The metrics count the rows and the rejected ones, and show no lag when all offsets are rows."""
    before = state(stack)
    lake.write([*swords(5), b"no event"])
    wait_for_rows(lake)
    wait_until("the metrics", lambda: state(stack).rows > before.rows, 30)
    after = state(stack)
    assert (after.rows - before.rows, after.rejected - before.rejected, after.lag) == (6, 1, 0)
    assert after.last_commit_age < 30
    assert after.last_batch_seconds > 0


def test_told_to_end_it_finishes_its_batch(lake: Lake, stack: Stack) -> None:
    """SIGTERM in the middle of a batch lets it commit; the stream ends, is started again and goes on."""
    started = batches(stack, "offsets")
    lake.write(swords(20_000))
    wait_until("a batch", lambda: batches(stack, "offsets") - started, PATIENCE, pause=0.01)
    running = max(batches(stack, "offsets"))
    java = driver(stack)
    java.send_signal(signal.SIGTERM)
    java.wait(60)
    assert running in batches(stack, "commits")
    assert log(stack).count("stopped\n") == 1
    wait_for_rows(lake)


def test_killed_again_and_again(lake: Lake, stack: Stack) -> None:
    """Killed in the middle of its batches, the stream comes back and leaves every offset as one row."""
    for _ in range(3):
        state(stack)
        started = batches(stack, "offsets")
        lake.write(swords(5_000))
        wait_until("a batch", lambda started=started: batches(stack, "offsets") - started, PATIENCE, pause=0.01)
        driver(stack).kill()
    wait_for_rows(lake)


def test_a_batch_that_is_run_again(lake: Lake, stack: Stack) -> None:
    """When the checkpoint has forgotten that batches were committed, they are run again and double nothing."""
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


def test_a_checkpoint_that_is_lost(lake: Lake, stack: Stack) -> None:
    """Without its checkpoint the stream reads the topic from the start, and doubles nothing."""
    stack["stream"].stop()
    assert webhdfs.delete(stack.settings, CHECKPOINT)
    lake.write(swords(100))
    stack.up(["stream"])
    wait_for_rows(lake)
    wait_until("the whole topic to be read again", lambda: state(stack).lag == 0, PATIENCE)
    assert lake.places() == sorted(lake.offsets())


def test_batch_jobs_beside_it(lake: Lake) -> None:
    """Batch jobs over the offsets that the stream is about to write, beside it, double nothing."""
    for _ in range(2):
        job = lake.start_job("batch.py", "load")
        while job.poll() is None:
            lake.write(swords(50))
            with suppress(psutil.TimeoutExpired):
                job.wait(0.5)
        assert job.returncode == 0, job.communicate()[0]
    wait_for_rows(lake)


def test_a_second_stream_is_refused(lake: Lake, stack: Stack) -> None:
    """A second stream on the same checkpoint ends at once, names the one that runs, and leaves it alone."""
    running = driver(stack)
    second = spark_job(stack.settings, "job", "stream.py")
    program = replace(second, environment={**second.environment, "METRICS_PORT": str(stack.settings.ports.free().api)})
    job = lake.start(program)
    printed = job.communicate(timeout=PATIENCE)[0]
    assert job.returncode == 1
    assert "error: another stream is at work on" in printed
    [named] = set(re.findall(r"at work on .*, process (\d+)\.", printed))
    assert int(named) in {child.pid for child in running.children(recursive=True)}
    lake.write(swords(10))
    wait_for_rows(lake)
    assert driver(stack) == running


def namenode(stack: Stack, bean: str) -> dict[str, str]:
    """What the NameNode says of itself."""
    where = f"http://{HOST}:{stack.settings.ports.namenode_http}/jmx"
    answer = requests.get(where, {"qry": f"Hadoop:service=NameNode,name={bean}"}, timeout=5)
    return dict(answer.json()["beans"][0])


def test_an_idle_stream_writes_no_edits(stack: Stack) -> None:
    """While the stream has nothing to do, the NameNode's log of edits does not grow."""

    def edits() -> int:
        return int(json.loads(namenode(stack, "NameNodeInfo")["JournalTransactionInfo"])["LastAppliedOrWrittenTxId"])

    def looks() -> int:
        return int(namenode(stack, "NameNodeActivity")["FileInfoOps"])

    def nothing_is_written() -> bool:
        before, looked = edits(), looks()
        wait_until("the stream to look after its checkpoint", lambda: looks() > looked + 20, PATIENCE)
        return edits() == before

    wait_until("a while without an edit", nothing_is_written, PATIENCE)


def test_it_fails_loudly_and_comes_back(lake: Lake, stack: Stack) -> None:
    """What it cannot do ends it with the cause first in its log; once that is mended, it goes on by itself."""
    seen = len(log(stack))
    lake.ask("ALTER TABLE lake.default.events DROP COLUMN guild")
    lake.write(swords(10))
    wait_until("the failure", lambda: "starting it again" in log(stack)[seen:], PATIENCE)
    # A start adds the columns that are missing.
    wait_for_rows(lake)
    first, *_ = (line for line in log(stack)[seen:].splitlines() if "error" in line.lower())
    assert first.startswith("error: the stream ended: ")
    assert "Cannot write to `lake`.`default`.`events`" in first
    assert "guild" in log(stack)[seen:]


def test_offsets_that_are_gone(lake: Lake, stack: Stack) -> None:
    """Offsets that Kafka has dropped before they were read stop the stream with a clear message, instead of a gap."""
    stack["stream"].stop()
    places = lake.places()
    lake.write(swords(10))
    settings = stack.settings
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    ends = topic.end_offsets(settings)
    gone = [TopicPartition(settings.topic, partition, end) for partition, end in ends.items()]
    for deleted in admin.delete_records(gone).values():
        deleted.result()
    seen = len(log(stack))
    stack["stream"].start()
    wait_until("the failure", lambda: "starting it again" in log(stack)[seen:], PATIENCE)
    [said, *_] = re.findall(r"^error: the stream ended: .*(?:\n  and so: .*)*", log(stack)[seen:], re.MULTILINE)
    assert "OffsetOutOfRangeException" in said
    assert "Some data may have been lost because they are not available in Kafka any more" in said
    assert lake.places() == places
