"""Files of events become rows of the table, each line once: with a table on the local file system, and no servers."""

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from game_events.rollups import ACTIVITY
from lake import history, rollups
from lake.events_writer import StagedFiles
from lake.imports import imports
from lake.imports.files import FileError
from lake.imports.imports import Imported, Period, imported
from lake.imports.lines import SPLITTING
from lake.maintenance.memory import Memory
from lake.maintenance.settling import settle
from lake.settings import EVENTS, ROLLUPS
from pyspark.sql import Row, SparkSession

from tests.poison import SWORD

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PERIOD = Period(NOW)
LINES = 1_000


def event(number: int, received: datetime = NOW - timedelta(days=400)) -> dict[str, Any]:
    time = int(received.timestamp() * 1000)
    return {**SWORD, "event_id": f"old-{number}", "received_at": time}


def lines(events: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in events)


@pytest.fixture
def file(events: Path, tmp_path: Path) -> Path:
    """A file of three events, for a new table."""
    path = tmp_path / "an older {50%} game.jsonl"
    path.write_bytes(lines(map(event, range(3))))
    return path


def do(spark: SparkSession, *paths: Path, most: int = LINES, period: Period = PERIOD) -> Imported:
    return imported(spark, period, [f"file:{path}" for path in paths], most)


def ask(spark: SparkSession, query: str) -> list[Any]:
    return [row[0] if len(row) == 1 else tuple(row) for row in spark.sql(query).collect()]


def ids(spark: SparkSession) -> list[str]:
    return ask(spark, f"SELECT event_id FROM {EVENTS} ORDER BY kafka_partition, kafka_offset")


def test_every_line_is_a_row(spark: SparkSession, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A valid line is its event's row, an invalid one a rejected row with its bytes and place, and a blank one none."""
    old = event(3) | {"received_at": 0}
    bad = [b'{"event_type"', b"\xff", json.dumps(old).encode()]
    file.write_bytes(file.read_bytes() + b"\n" + b"\n".join(bad) + b"\r\n \n" + lines([event(4)]).rstrip())
    assert do(spark, file) == Imported(files=1, added=7, rejected=3)
    valid = ask(spark, f"SELECT event_id, received_at, kafka_partition FROM {EVENTS} WHERE family = 'purchases'")
    received = (NOW - timedelta(days=400)).replace(tzinfo=None)
    assert sorted(valid) == [(f"old-{number}", received, -1) for number in (0, 1, 2, 4)]
    columns = "raw_key, raw_value, error, received_at"
    rejected = ask(spark, f"SELECT {columns} FROM {EVENTS} WHERE family = 'rejected' ORDER BY kafka_offset")
    numbers = [5, 6, 7]
    assert [(bytes(key), bytes(value)) for key, value, *_ in rejected] == [
        (f"file:{file}:{number}".encode(), value)
        for number, value in zip(numbers, (*bad[:2], bad[2] + b"\r"), strict=True)
    ]
    assert [error.split(":")[0] for _, _, error, _ in rejected] == ["record", "record", "received_at"]
    assert {time for *_, time in rejected} == {NOW.replace(tzinfo=None)}
    assert f"{file.name}, line 7: rejected: received_at: expected" in capsys.readouterr().out


def test_again(spark: SparkSession, file: Path) -> None:
    """Imported again, a file adds only new lines at its end, else no row and no commit; a changed one is refused."""
    assert do(spark, file) == Imported(files=1, added=3)
    snapshot = history.table(spark).currentSnapshot().snapshotId()
    assert do(spark, file) == Imported(files=1, present=3)
    assert history.table(spark).currentSnapshot().snapshotId() == snapshot
    file.write_bytes(file.read_bytes() + lines([event(3)]))
    assert do(spark, file) == Imported(files=1, added=1, present=3)
    file.write_bytes(lines([event(0), event(7), event(2), event(3), event(4)]))
    with pytest.raises(FileError, match=r"line 2: .* has another event for this line, so the file has changed"):
        do(spark, file)
    assert ids(spark) == [f"old-{number}" for number in range(4)]


def test_killed_half_way(spark: SparkSession, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends half-way keeps its commits, and the next one adds the other lines, across files and folders."""
    other = file.parent / "more" / "day.json.gz"
    other.parent.mkdir()
    (other.parent / "_SUCCESS").touch()
    other.write_bytes(gzip.compress(lines(map(event, range(3, 6)))))
    commit, left = StagedFiles.commit, [2]

    def limited(*arguments: Any) -> None:  # noqa: ANN401
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        commit(*arguments)

    monkeypatch.setattr(StagedFiles, "commit", limited)
    with pytest.raises(KeyboardInterrupt):
        do(spark, file, other.parent, most=2)
    assert len(ids(spark)) == 4
    monkeypatch.undo()
    assert do(spark, file, other.parent, most=2) == Imported(files=2, added=2, present=4)
    assert sorted(ids(spark)) == [f"old-{number}" for number in range(6)]


def test_a_faster_writer(spark: SparkSession, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two imports of a file at once, only one adds its lines."""
    commit = StagedFiles.commit

    def beaten(*arguments: Any) -> None:  # noqa: ANN401
        monkeypatch.undo()
        do(spark, file)
        commit(*arguments)

    monkeypatch.setattr(StagedFiles, "commit", beaten)
    assert do(spark, file) == Imported(files=1, present=3)
    assert ids(spark) == ["old-0", "old-1", "old-2"]


def test_two_years(spark: SparkSession, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of 730 days, in any order, makes one file of each day, but for days that two tasks share.

    A task has one file open at a time: if it met a day again, it would fail.
    """
    days = 730
    received = [NOW - timedelta(days=1 + number * 37 % days) for number in range(2 * days)]
    file.write_bytes(lines(event(number, time) for number, time in enumerate(received)))
    monkeypatch.setattr(imports, "_ROWS_PER_TASK", days)
    monkeypatch.setitem(SPLITTING, "spark.sql.files.maxPartitionBytes", "50000")
    assert do(spark, file, most=2 * days) == Imported(files=1, added=2 * days)
    assert ask(spark, f"SELECT count(DISTINCT partition), count(*) <= {days + 1} FROM {EVENTS}.data_files") == [
        (days, True)
    ]
    # Whatever part of the file a task reads, it knows the lines' numbers.
    assert ids(spark) == [f"old-{number}" for number in range(2 * days)]


def test_settled_days(spark: SparkSession, file: Path) -> None:
    """Maintenance decides imported events, and adds them up on the days when they were received."""
    received = [NOW - timedelta(days=number) for number in (700, 700, 1)]
    file.write_bytes(lines(event(number, time) for number, time in enumerate(received)))
    do(spark, file)
    rollups.create(spark, f"file:{file.parent}/default/rollups")
    settle(spark, Memory(), NOW)
    assert ask(spark, f"SELECT counts FROM {EVENTS}") == [True] * 3
    rollups.roll_up(spark)
    added_up = f"SELECT day, number FROM {ROLLUPS} WHERE kind = '{ACTIVITY.name}' ORDER BY day"
    assert ask(spark, added_up) == [(received[0].date(), 2), (received[2].date(), 1)]


def test_the_topic(spark: SparkSession, file: Path) -> None:
    """Imported lines say nothing about the topic, also where the rows themselves have to be asked."""
    do(spark, file)
    state = history.state(history.table(spark))
    assert state.coverage.partitions == {}
    assert history.with_rows(spark, state).coverage.partitions == {}


def test_days_past_retention(spark: SparkSession, file: Path) -> None:
    """Events of days that retention deletes are refused, as are those of the future; nothing is added."""
    period = Period(NOW, retention_days=365)
    with pytest.raises(FileError, match=r"line 1: received_at: is before 2025-11-27.*MAINTAIN_RETENTION_DAYS=365"):
        do(spark, file, period=period)
    file.write_bytes(lines([event(0), event(1, NOW + timedelta(hours=1))]))
    with pytest.raises(FileError, match="line 2: received_at: is in the future"):
        do(spark, file)
    assert ids(spark) == []


def test_parquet(spark: SparkSession, file: Path) -> None:
    """In Parquet a field without a value is missing, and a time may be a timestamp."""
    folder = file.parent / "history"
    read = spark.createDataFrame([Row(**event(number)) for number in range(3)])
    missing = "CAST(NULL AS STRING) AS target"
    read = read.selectExpr("* EXCEPT (received_at)", "timestamp_millis(received_at) AS received_at", missing)
    read.coalesce(1).write.parquet(f"file:{folder}")
    assert do(spark, folder) == Imported(files=1, added=3)
    assert ids(spark) == ["old-0", "old-1", "old-2"]
    assert ask(spark, f"SELECT DISTINCT family, date(received_at) FROM {EVENTS}") == [
        ("purchases", (NOW - timedelta(days=400)).date())
    ]
    assert do(spark, folder) == Imported(files=1, present=3)


def test_a_dry_run(spark: SparkSession, file: Path) -> None:
    """A dry run counts valid and invalid lines, and writes nothing."""
    file.write_bytes(file.read_bytes() + b"{\n")
    assert imported(spark, PERIOD, [f"file:{file}"], LINES, dry_run=True) == Imported(files=1, added=4, rejected=1)
    assert history.table(spark).currentSnapshot() is None


@pytest.mark.parametrize(
    ("name", "message"), [("none.jsonl", "does not exist"), ("notes.txt", r"expected .jsonl, .*or .parquet")]
)
def test_no_file_of_events(spark: SparkSession, file: Path, name: str, message: str) -> None:
    """A path without a file of events is an error that names it."""
    (file.parent / "notes.txt").touch()
    with pytest.raises(FileError, match=f"{name}: {message}"):
        do(spark, file.parent / name)
