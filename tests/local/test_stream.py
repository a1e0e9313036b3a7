"""The stream: every offset becomes one row within seconds, despite kills, retries and bad records."""

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from random import Random

import psutil
import pytest
import requests
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from testbed.clients import topic
from testbed.clients.freshness import freshness
from testbed.clients.stream_metrics import StreamState, sample, stream_state
from testbed.faults.site import Site
from testbed.settings import HOST, Settings
from testbed.simulator.scenario import QUERIES
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.local.traffic import swords
from tests.poison import EXAMPLES, HOSTILE_HEADERS, HOSTILE_KEYS, HOSTILE_TIMESTAMPS, POISON, SWORD


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
    wait_until("all offsets to be rows", lambda: lake.count() >= count, pause=0.5)
    assert lake.places() == sorted(lake.offsets())


def driver(stack: Stack) -> psutil.Process:
    """Return the JVM of the stream, a child of `keep-running`."""
    [java] = [child for child in psutil.Process(stack["stream"].pid).children() if child.name() == "java"]
    return java


@pytest.fixture
def site(stack: Stack) -> Site:
    return Site(stack, Random(0))


def state(stack: Stack) -> StreamState:
    """Return the stream's state; wait for it, because a stream that is restarting does not answer."""
    return wait_until("the stream", lambda: stream_state(stack.settings))


def log(stack: Stack) -> str:
    return stack["stream"].log.read_text()


def test_stream_first_then_tables_then_query(lake: Lake, stack: Stack) -> None:
    """Files that the stream wrote before the tables job stay unchanged, and queries read them."""
    lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
    wait_until("the stream's files", lambda: lake.files("/lake/events/data"))
    wait_for_rows(lake)
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
    wait_until("no lag", lambda: state(stack).lag == 0)
    assert lake.ask("SELECT count(*) FROM lake.default.events WHERE event_id = 'aborted'") == [[0]]
    assert freshness(stack.settings).startswith("Trino's newest row is 0.0 s older")


def test_metrics(lake: Lake, stack: Stack) -> None:
    """The metrics count rows and rejected rows, and the lag is zero when all offsets are rows."""
    before = state(stack)
    lake.write([*swords(5), b"no event"])
    wait_for_rows(lake)
    wait_until("the metrics", lambda: state(stack).rows > before.rows)
    after = state(stack)
    assert (after.rows - before.rows, after.rejected - before.rejected, after.lag) == (6, 1, 0)
    assert after.last_commit_age < 240
    assert after.last_batch_seconds > 0


def test_sigterm_finishes_the_batch(lake: Lake, stack: Stack, site: Site) -> None:
    """After SIGTERM in the middle of a batch, the stream commits it and ends; restarted, it continues."""
    state(stack)
    lake.write(swords(5_000))
    begun = site.await_batch()
    java = driver(stack)
    java.send_signal(signal.SIGTERM)
    java.wait(240)
    assert site.has_loaded(begun)
    assert log(stack).count("stopped\n") == 1
    wait_for_rows(lake)


def test_killed_repeatedly(lake: Lake, stack: Stack, site: Site) -> None:
    """Killed in the middle of its batches, the stream restarts, and every offset is one row."""
    for _ in range(2):
        state(stack)
        lake.write(swords(5_000))
        site.await_batch()
        site.kill_driver()
    wait_for_rows(lake)


def test_the_metastore_restarts(lake: Lake, stack: Stack) -> None:
    """While the metastore is down the stream waits, and it goes on without a restart of its own."""
    state(stack)
    java, seen = driver(stack), len(log(stack))
    stack["metastore"].kill()
    try:
        lake.write(swords(10))
        wait_until("a failed batch", lambda: "again in a second" in log(stack)[seen:])
    finally:
        stack["metastore"].start()
    wait_for_rows(lake)
    assert driver(stack) == java


def test_a_table_that_is_rolled_back(lake: Lake, stack: Stack) -> None:
    """If the table is rolled back while the stream runs, it reads again what is missing, and doubles nothing."""
    state(stack)
    wait_for_rows(lake)
    before = lake.rows()
    [earlier, *_] = lake.ask(
        'SELECT snapshot_id FROM lake.default."events$snapshots" '
        "WHERE CAST(element_at(summary, 'total-records') AS bigint) BETWEEN 1 "
        f"AND {len(before) - 1} ORDER BY committed_at DESC LIMIT 1"
    )[0]
    lake.ask(f"ALTER TABLE lake.default.events EXECUTE rollback_to_snapshot({earlier})")
    wait_until("the rows to be there again", lambda: lake.count() >= len(before), pause=0.5)
    assert lake.rows() == before


def test_batch_jobs_beside_it(lake: Lake) -> None:
    """A batch job that writes the same offsets as the running stream doubles nothing."""
    job = lake.start_job("batch.py", "load", "--chunk", "100")
    while job.poll() is None:
        lake.write(swords(50))
        with suppress(psutil.TimeoutExpired):
            job.wait(0.5)
    assert job.returncode == 0, job.communicate()[0]
    wait_for_rows(lake)


def test_two_streams(lake: Lake, stack: Stack) -> None:
    """Two streams that load the same topic write each offset once, and neither of them ends."""
    other = spark_job(stack.settings, "job", "stream.py")
    port = str(stack.settings.ports.free().api)
    second = lake.start(replace(other, environment={**other.environment, "METRICS_PORT": port}))
    try:
        assert second.stdout
        assert next(line for line in iter(second.stdout.readline, "") if "streaming events" in line)
        running = driver(stack)
        for _ in range(8):
            lake.write(swords(200))
            wait_for_rows(lake)
        assert second.poll() is None
        assert driver(stack) == running
    finally:
        second.terminate()
        second.communicate(timeout=240)
    assert second.returncode == 0


def namenode(stack: Stack, bean: str) -> dict[str, str]:
    """Return one of the NameNode's JMX beans."""
    where = f"http://{HOST}:{stack.settings.ports.namenode_http}/jmx"
    answer = requests.get(where, {"qry": f"Hadoop:service=NameNode,name={bean}"}, timeout=60)
    return dict(answer.json()["beans"][0])


def test_an_idle_stream_writes_no_edits(stack: Stack) -> None:
    """While the stream is idle, the NameNode's edit log does not grow."""

    def edits() -> int:
        return int(json.loads(namenode(stack, "NameNodeInfo")["JournalTransactionInfo"])["LastAppliedOrWrittenTxId"])

    def looks() -> int:
        return int(namenode(stack, "NameNodeActivity")["GetBlockLocations"])

    def nothing_is_written() -> bool:
        before, looked = edits(), looks()
        wait_until("the stream to look at the table", lambda: looks() > looked)
        return edits() == before

    wait_until("a while without an edit", nothing_is_written)


def test_it_tells_when_maintenance_ran(lake: Lake, stack: Stack) -> None:
    """A run makes the age of its steps, which the stream reads from the table, less than its own."""
    state(stack)

    def has_run() -> bool:
        age, began = (
            sample(stack.settings, name) for name in ("gamelake_maintenance_age_seconds", "start_time_seconds")
        )
        return began + age < time.time() - 1

    assert not has_run()
    lake.job("maintain.py")
    wait_until("its age", has_run, pause=1)


def test_it_fails_with_its_cause_and_recovers(lake: Lake, stack: Stack) -> None:
    """A fatal error ends the stream with the cause first in its log; once that is repaired, it continues by itself."""
    seen = len(log(stack))
    lake.ask("ALTER TABLE lake.default.events DROP COLUMN guild")
    lake.write(swords(10))
    wait_until("the failure", lambda: ": restarting" in log(stack)[seen:])
    # A restart adds missing columns.
    wait_for_rows(lake)
    first, *_ = (line for line in log(stack)[seen:].splitlines() if "error" in line.lower())
    assert first.startswith("error: the stream ended: ")
    assert "Cannot write to" in first
    assert "guild" in log(stack)[seen:]


def refusal(stack: Stack, seen: int) -> str:
    """Wait until the stream has refused to go on, and return its reason."""
    found: list[str] = []

    def is_refused() -> bool:
        found[:] = re.findall(r"^error: (.*)", log(stack)[seen:], re.MULTILINE)
        return bool(found)

    wait_until("the refusal", is_refused)
    return found[0]


def test_offsets_that_kafka_dropped(lake: Lake, stack: Stack) -> None:
    """Offsets that Kafka dropped before they were read stop the stream, until they are given up explicitly."""
    wait_for_rows(lake)
    stack["stream"].stop()
    places = lake.places()
    written = sorted(lake.write(swords(10)))
    settings = stack.settings
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    ends = topic.end_offsets(settings)
    dropped = [TopicPartition(settings.topic, partition, end) for partition, end in ends.items()]
    for deleted in admin.delete_records(dropped).values():
        deleted.result()
    seen = len(log(stack))
    stack["stream"].start()
    reason = refusal(stack, seen)
    (partition, start), (_, last) = written[0], written[-1]
    lost = f"{partition}:{start}-{last + 1}"
    assert reason.startswith(f"offsets {lost} are not in lake.default.events, and Kafka no longer has them")
    assert lake.places() == places
    lake.job("batch.py", *reason.split("batch.py ")[1].split())
    more = lake.write(swords(10))
    wait_until("the new rows", lambda: lake.count() >= len(places) + 10, pause=0.5)
    assert lake.places() == sorted([*places, *more])


def test_a_topic_that_is_recreated_beneath_it(lake: Lake, stack: Stack) -> None:
    """The running stream writes nothing from a topic that was deleted and created again."""
    state(stack)
    rows = lake.rows()
    settings, seen = stack.settings, len(log(stack))
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    admin.delete_topics([settings.topic])[settings.topic].result()
    wait_until("its end", lambda: settings.topic not in admin.list_topics(timeout=60).topics)
    wait_until("the topic", lambda: topic.ensure(settings))
    Lake(stack).write(swords(10, event_id="another"))
    reason = refusal(stack, seen)
    [(recorded, now)] = re.findall(r"topic id (\S+), and this topic's id is (\S+)\.", reason)
    assert recorded != now
    assert lake.rows() == rows
