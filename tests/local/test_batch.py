"""The batch job: every offset of the topic becomes one row, however often and in whatever order it runs."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest
from lake.offsets import OffsetRange, RangeError, Topic
from lake.settings import Settings
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until

from tests.local.lake import Lake, Place
from tests.local.traffic import swords
from tests.poison import EXAMPLES, POISON


@pytest.fixture(scope="module")
def loaded(lake: Lake) -> dict[Place, bytes | None]:
    """A topic with an event of every type and a bad record of every kind, loaded once."""
    examples = [path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))]
    places = lake.write([*examples, *(value for value, _ in POISON.values())])
    lake.job("batch.py", "load")
    return places


def test_every_offset_is_one_row(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """Every offset of the topic is one row, and there are no other rows."""
    assert lake.places() == sorted(lake.offsets())
    assert set(loaded) <= lake.offsets()


def test_bad_records_are_kept(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """Every kind of bad record is in rejected_events, byte for byte, with the reason."""
    bad = dict(POISON.values())
    kept = {
        (partition, offset): (value, error)
        for partition, offset, value, error in lake.ask(
            "SELECT kafka_partition, kafka_offset, raw_value, error FROM rejected_events"
        )
    }
    expected = {place: value for place, value in loaded.items() if value in bad}
    assert {place: value for place, (value, _) in kept.items() if place in loaded} == expected
    for place, value in expected.items():
        assert kept[place][1].startswith(bad[value])


def test_running_it_again_changes_nothing(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """Run again over offsets that are rows already, the job changes no row."""
    before = lake.rows()
    lake.job("batch.py", "load")
    assert lake.rows() == before


def test_ranges_add_only_missing_offsets(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """Only the given offsets become rows, and a later run over a wider range adds only the others."""
    places = sorted(lake.write(swords(10)))
    (partition, start), (_, last) = places[0], places[-1]
    lake.job("batch.py", "load", "--offsets", f"{partition}:{start + 2}-{start + 5}")
    assert [place for place in lake.places() if place in places] == places[2:5]
    lake.job("batch.py", "load", "--offsets", f"{partition}:{start}-{last + 1}")
    assert [place for place in lake.places() if place in places] == places


def _wait_for_a_later_time() -> None:
    """Wait until records get another time, which is in milliseconds."""
    began = time.time()
    wait_until("a later time", lambda: time.time() > began + 0.01, pause=0.005)


def test_a_time_range(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """--from and --to select records by the time at which they were written."""
    early = lake.write(swords(3))
    _wait_for_a_later_time()
    now = datetime.now(UTC)
    _wait_for_a_later_time()
    late = lake.write(swords(3))
    lake.job("batch.py", "load", "--from", now.isoformat(timespec="milliseconds"))
    present = set(lake.places())
    assert late.keys() <= present
    assert not early.keys() & present
    lake.job("batch.py", "load", "--to", now.isoformat(timespec="milliseconds"))
    assert early.keys() <= set(lake.places())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9:0-1", "offsets 9:0-1: topic events has no partition 9"),
        ("0:0-999999999", "offsets 0:0-999999999: partition 0 has 0-"),
        ("0:5-1", "offsets: expected PARTITION:START-END with START <= END, got '0:5-1'"),
        ("all", "offsets: expected PARTITION:START-END with START <= END, got 'all'"),
    ],
)
def test_a_missing_range_is_refused(stack: Stack, text: str, message: str) -> None:
    """Offsets that do not exist are refused with a message that names them."""
    topic = Topic(Settings.from_environment(spark_job(stack.settings, "job").environment))
    with pytest.raises(RangeError) as refusal:
        topic.exactly([OffsetRange.parse(text)])
    assert str(refusal.value).startswith(message)


def test_a_failed_job_gives_the_reason(lake: Lake) -> None:
    """The output of a failed job starts with the reason."""
    with pytest.raises(StackError) as failure:
        lake.job("batch.py", "load", "--offsets", "9:0-1")
    assert "error: offsets 9:0-1: topic events has no partition 9" in str(failure.value)


def test_killed_midway(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """A job that is killed keeps the chunks that it has committed; another run adds the others, each offset once."""
    lake.write(swords(3_000))
    before = lake.count()
    job = lake.start_job("batch.py", "load", "--chunk", "300")
    assert next(line for line in iter(job.stdout.readline, "") if " rows committed, " in line)
    for process in [*job.children(recursive=True), job]:
        process.kill()
    psutil.wait_procs([job])
    kept = lake.count()
    assert before < kept < before + 3_000
    assert lake.places() == sorted(set(lake.places()))
    assert f", {before + 3_000 - kept} of them new, " in lake.job("batch.py", "load", "--chunk", "2000")
    assert lake.places() == sorted(lake.offsets())


def test_two_at_once(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """Two concurrent jobs over the same new offsets leave every offset as one row."""
    lake.write(swords(1_000))
    jobs = [lake.start_job("batch.py", "load", "--chunk", "200") for _ in range(2)]
    printed = [job.communicate(timeout=900)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], printed
    assert lake.places() == sorted(lake.offsets())


def test_a_table_that_is_rolled_back(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """After the table was rolled back, the job reads again what is missing, and nothing else."""
    before = lake.rows()
    earlier = lake.ask(
        "SELECT snapshot_id FROM lake.default.\"events$snapshots\" WHERE operation = 'append' ORDER BY committed_at"
    )[-3][0]
    lake.ask(f"ALTER TABLE lake.default.events EXECUTE rollback_to_snapshot({earlier})")
    assert lake.count() < len(before)
    lake.job("batch.py", "load")
    assert lake.rows() == before


def test_mending_without_kafka(lake: Lake, stack: Stack, loaded: dict[Place, bytes | None]) -> None:
    """A rejected row that is valid by now is replaced from the table alone; others stay, and so they do in a replay."""
    [(place, value)] = lake.write(swords(1)).items()
    lake.job("batch.py", "load")
    valid = lake.rows()
    lake.ask(
        "UPDATE lake.default.events SET family = 'rejected', strength = NULL, error = 'unknown', "
        f"raw_key = X'{b'knight1'.hex()}', raw_value = X'{(value or b'').hex()}' "
        f"WHERE kafka_partition = {place[0]} AND kafka_offset = {place[1]}"
    )
    job = spark_job(stack.settings, "job", "batch.py", "mend")
    job = replace(job, environment=job.environment | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert re.search(r"rejected rows: \d\d+; valid by now and replaced: 1: purchases 1; still rejected", stack.run(job))
    assert lake.rows() == valid
    assert "none is valid by now: nothing to do" in stack.run(job)
    lake.job("batch.py", "load")
    assert lake.rows() == valid


def test_a_retried_event_counts_once(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """An event sent twice under one Idempotency-Key is two rows of the table and one of its view."""
    retried = {"event_id": "retry-1", "idempotent": True}
    lake.write([*swords(2, **retried), *swords(1, player="knight2", **retried)])
    lake.job("batch.py", "load")
    where = "WHERE event_id = 'retry-1'"
    assert lake.ask(f"SELECT count(*) FROM lake.default.events {where}") == [[3]]
    assert lake.ask(f"SELECT player, count(*) FROM purchases {where} GROUP BY 1 ORDER BY 1") == [
        ["knight1.comcast.com", 1],
        ["knight2", 1],
    ]


def test_an_export_is_replaced_atomically(lake: Lake, loaded: dict[Place, bytes | None]) -> None:
    """A reader of an exported table sees the old rows or the new ones, never an error or a part of them."""
    lake.job("batch.py", "export")
    old = lake.ask("SELECT count(*) FROM export.purchases")
    assert old == lake.ask("SELECT count(*) FROM purchases")
    lake.write(swords(100))
    lake.job("batch.py", "load")
    new = lake.ask("SELECT count(*) FROM purchases")
    stop = threading.Event()

    def read() -> list[list[list[int]]]:
        seen = []
        while not stop.wait(0.1):
            seen.append(lake.ask("SELECT count(*) FROM export.purchases"))
        return seen

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            lake.job("batch.py", "export", "purchases")
        finally:
            stop.set()
    seen = reader.result()
    assert new == lake.ask("SELECT count(*) FROM export.purchases") == [[old[0][0] + 100]]
    assert [count for at, count in enumerate(seen) if at == 0 or count != seen[at - 1]] in ([old], [old, new])
    assert [file for file in lake.files("/export/purchases") if file.endswith(".snappy.parquet")]
