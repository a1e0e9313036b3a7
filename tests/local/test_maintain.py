"""Maintenance: fewer files and snapshots, without effect on writers and readers."""

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest
from game_settings.reader import SettingsError
from lake.settings import FILE_SYSTEM, Settings
from testbed.clients import webhdfs
from testbed.settings import ROOT
from testbed.stack.hdfs import hdfs_environment
from testbed.stack.process import Program
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.local.traffic import counting, running_stream, swords

OLD, RECENT = date(2024, 5, 1), date(2024, 6, 1)
"""Days of which no other test has rows, whatever the date is."""


def maintenance(stack: Stack, *arguments: str, **environment: str) -> Program:
    job = spark_job(stack.settings, "maintain", "maintain.py", *arguments)
    return replace(job, environment={**job.environment, **environment})


def files(lake: Lake, *days: date) -> set[str]:
    """The table's files of some days."""
    listed = ", ".join(f"DATE '{day}'" for day in days)
    where = f"partition.received_at_day IN ({listed})"
    return {path for [path] in lake.ask(f'SELECT file_path FROM lake.default."events$files" WHERE {where}')}


def snapshots(lake: Lake) -> list[int]:
    ids = lake.ask('SELECT snapshot_id FROM lake.default."events$snapshots" ORDER BY committed_at')
    return [one for [one] in ids]


def hdfs(stack: Stack, *arguments: str) -> None:
    command = [ROOT / "images/hdfs/run", "dfs", *arguments]
    subprocess.run(command, env=hdfs_environment(stack.settings), check=True, stdout=subprocess.DEVNULL)


def undecided(lake: Lake) -> int:
    """How many rows of the earlier days are undecided."""
    query = "SELECT count(*) FROM lake.default.events WHERE counts IS NULL"
    return int(lake.ask(f"{query} AND received_at < TIMESTAMP '{RECENT} 23:59:59 UTC'")[0][0])


def bought(lake: Lake) -> list[int]:
    """How many purchases of each of the earlier days the view shows."""
    query = "SELECT count(*) FROM hive.default.purchases WHERE timestamp BETWEEN"
    days = (f"TIMESTAMP '{day} 00:00:00 UTC' AND TIMESTAMP '{day} 23:59:59 UTC'" for day in (RECENT, OLD))
    return [int(lake.ask(f"{query} {day}")[0][0]) for day in days]


def decided_purchases(lake: Lake) -> tuple[int, int]:
    """How many purchases are decided and count, in the table and in the rollups."""
    row = "SELECT count(*) FROM lake.default.events WHERE counts AND family = 'purchases'"
    total = "SELECT sum(number) FROM lake.default.rollups WHERE kind = 'purchases' AND day IS NULL"
    return int(lake.ask(row)[0][0]), int(lake.ask(total)[0][0])


@pytest.fixture(scope="module", autouse=True)
def _loaded(lake: Lake) -> None:
    """Rows of earlier days, loaded twice."""
    for _ in range(2):
        for day in (RECENT, OLD):
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            received_at = int(noon.timestamp() * 1000)
            lake.write(swords(20, player=f"settler of {day}", received_at=received_at, idempotent=True))
        lake.job("batch.py", "load")


def test_killed_midway(lake: Lake, stack: Stack) -> None:
    """Maintenance that is killed while it rewrites a day changes no row."""
    rows, before = lake.rows(), files(lake, RECENT)
    folder = next(iter(before)).removeprefix(FILE_SYSTEM).rsplit("/", 1)[0]
    names = webhdfs.names(stack.settings, folder)
    job = lake.start(maintenance(stack))
    wait_until("a new file", lambda: len(webhdfs.names(stack.settings, folder)) > len(names), pause=0.005)
    for process in [*job.children(recursive=True), job]:
        process.kill()
    psutil.wait_procs([job])
    assert lake.rows() == rows


def test_beside_the_stream_and_a_reader(lake: Lake, stack: Stack) -> None:
    """Two concurrent runs merge files, settle days and expire snapshots without effect on the stream and a reader."""
    assert (bought(lake), undecided(lake) > 0) == ([20, 20], True)
    # Midnight may pass meanwhile.
    today = datetime.now(UTC).date()
    days = today, today + timedelta(days=1)
    with running_stream(stack, lake), counting(lake):
        wait_until("small files", lambda: len(files(lake, *days)) > 30 and len(snapshots(lake)) > 22, pause=1)
        rows, small, [first, *_] = lake.rows(), files(lake, *days), snapshots(lake)
        jobs = [lake.start(maintenance(stack, MAINTAIN_SNAPSHOT_HOURS="0")) for _ in range(2)]
        print(*(job.communicate(timeout=900)[0] for job in jobs), sep="\n")
        assert [job.returncode for job in jobs] == [0, 0]
        # Of each partition of the topic a few are too new.
        assert len(small & files(lake, *days)) < 3 * len({partition for partition, _ in lake.places()})
        assert first not in snapshots(lake)
        assert {tuple(row) for row in rows} <= {tuple(row) for row in lake.rows()}
        seen = lake.count()
        wait_until("new rows", lambda: lake.count() > seen, pause=0.5)
    assert lake.places() == sorted(lake.offsets())
    assert (bought(lake), undecided(lake)) == ([20, 20], 0)
    rows, added_up = decided_purchases(lake)
    assert rows == added_up >= 40
    lake.job("batch.py", "load")
    assert lake.places() == sorted(lake.offsets())


@pytest.mark.usefixtures("repaired")
def test_days(lake: Lake, stack: Stack) -> None:
    """A completed day becomes one file; days past retention are deleted, and so are orphan files."""
    whole, *_ = files(lake, OLD)
    for name, modified in (("young", datetime.now(UTC) - timedelta(hours=1)), ("forgotten", OLD)):
        hdfs(stack, "-cp", whole, f"/lake/events/data/{name}.parquet")
        hdfs(stack, "-touch", "-m", "-t", f"{modified:%Y%m%d:%H%M%S}", f"/lake/events/data/{name}.parquet")
    places = lake.places()
    [[deleted]] = lake.ask(
        f"SELECT count(*) FROM lake.default.events WHERE received_at < TIMESTAMP '{RECENT} 00:00:00 UTC'"
    )
    kept = (datetime.now(UTC).date() - RECENT).days + 10
    stack.run(maintenance(stack, MAINTAIN_RETENTION_DAYS=str(kept)))
    assert len(files(lake, RECENT)) == 1
    assert not files(lake, OLD)
    assert len(lake.places()) == len(places) - deleted
    left = webhdfs.names(stack.settings, "/lake/events/data")
    assert "young.parquet" in left
    assert "forgotten.parquet" not in left


def test_only_what_is_due(lake: Lake, stack: Stack) -> None:
    """With --due a new process lists no orphans again on the same day, but finds new files."""
    stack.run(maintenance(stack))
    lake.write(swords(20))
    lake.job("batch.py", "load")
    printed = stack.run(maintenance(stack, "--due"))
    assert ": orphans: " not in printed
    assert ": retention: " not in printed
    assert re.search(r": small files: \d+ days, ", printed)


def test_it_keeps_running(lake: Lake, stack: Stack) -> None:
    """With --every it survives an unavailable metastore, rewrites nothing without need, and stops on SIGTERM."""
    job = lake.start(maintenance(stack, "--every", "1"))
    assert job.stdout
    lines = iter(job.stdout.readline, "")
    assert "few enough" in next(line for line in lines if ": manifests: " in line)
    before = files(lake, RECENT)
    stack["metastore"].stop()
    try:
        assert next(line for line in lines if "failed" in line)
    finally:
        stack.up(["metastore"])
    assert next(line for line in lines if ": small files: " in line and "failed" not in line)
    job.terminate()
    assert list(lines)[-1].endswith(" INFO lake.maintenance.runs: stopped\n")
    assert job.wait(240) == 0
    assert files(lake, RECENT) == before


def test_its_scratch_files_are_deleted(lake: Lake, stack: Stack) -> None:
    """Scratch files are in the data directory; if they are deleted, maintenance exits, and a new process succeeds."""
    job = lake.start(maintenance(stack, "--every", "1"))
    assert job.stdout
    lines = iter(job.stdout.readline, "")
    assert next(line for line in lines if ": manifests: " in line and "failed" not in line)
    scratch = stack.settings.data / "spark" / str(job.pid)
    assert list(scratch.glob("blockmgr-*"))
    shutil.rmtree(scratch)
    noon = datetime(RECENT.year, RECENT.month, RECENT.day, 12, tzinfo=UTC)
    lake.write(swords(20, received_at=int(noon.timestamp() * 1000)))
    lake.job("batch.py", "load")
    assert next(line for line in lines if "failed" in line)
    job.communicate(timeout=900)
    assert job.returncode == 1
    stack.run(maintenance(stack))


def test_orphans_are_a_day_old(stack: Stack) -> None:
    """An age at which files may still belong to a running job is refused."""
    with pytest.raises(SettingsError, match="MAINTAIN_ORPHAN_HOURS: expected at least 24, got 23"):
        Settings.from_environment(maintenance(stack, MAINTAIN_ORPHAN_HOURS="23").environment)
