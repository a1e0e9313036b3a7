"""What maintenance remembers in the table's properties."""

import threading
import time
from pathlib import Path

import pytest
from lake import history
from lake.maintenance.memory import PREFIX, Memory, TableMemory
from lake.maintenance.runs import due, run
from lake.maintenance.steps import Step
from lake.settings import EVENTS
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from testbed.bench import long_table

HOUR = 3600


@pytest.fixture
def lake(spark: SparkSession, events: Path) -> SparkSession:
    assert events.exists()
    return spark


def recalled(spark: SparkSession) -> Memory:
    """The memory of a new process."""
    memory = TableMemory(spark)
    memory.recall()
    return memory


def metadata_file(spark: SparkSession) -> str:
    return str(history.table(spark).operations().current().metadataFileLocation())


def do(memory: Memory, *steps: Step) -> dict[str, str]:
    return run(steps, threading.Event(), memory)


def test_a_new_process_knows_what_ran(lake: SparkSession) -> None:
    """What ran is not due in a new process until its pause is over; the table's rows and history stay as they are."""
    steps = [Step("orphans", lambda: "", pause=24 * HOUR), Step("a b", lambda: "")]
    assert due(steps, recalled(lake)) == steps
    do(recalled(lake), *steps)
    assert due(steps, recalled(lake)) == [steps[1]]
    assert history.table(lake).currentSnapshot() is None
    assert recalled(lake).ran("a b") == pytest.approx(time.time(), abs=60)
    recent, old = Step("orphans", lambda: "", pause=50), Step("orphans", lambda: "", pause=1)
    assert due([recent], recalled(lake)) == [recent]
    assert due([old], recalled(lake)) == [old]


def test_a_run_makes_one_commit_or_none(lake: SparkSession) -> None:
    """All that a run remembers is one commit; a run that sees nothing new makes none."""
    memory = recalled(lake)
    steps = [
        Step("small files", lambda: memory.note_seen("small files", "5") or "done"),
        Step("days", lambda: memory.note_seen("days", "5 2026-01-01") or "done"),
    ]
    versions = [metadata_file(lake)]
    do(memory, *steps)
    versions.append(metadata_file(lake))
    assert [version.rsplit("/", 1)[1].partition(".")[0] for version in versions] == ["v1", "v2"]
    memory = recalled(lake)
    assert (memory.seen("small files"), memory.seen("days")) == ("5", "5 2026-01-01")
    do(memory, *steps)
    assert metadata_file(lake) == versions[1]


def test_a_writer_is_not_disturbed(lake: SparkSession) -> None:
    """A batch that was written before maintenance remembers something is committed after it, and covers its offsets."""
    long_table.load(lake)
    before = history.state(history.table(lake))
    commit = long_table.stage(lake)
    memory = recalled(lake)
    memory.note_seen("small files", "5")
    memory.save()
    commit()
    state = history.state(history.table(lake))
    assert (state.is_whole, state.is_carried) == (before.is_whole, before.is_carried) == (True, True)
    assert {number: state.coverage.end(number) for number in range(4)} == dict.fromkeys(range(4), 200)
    assert recalled(lake).seen("small files") == "5"


def test_without_the_table_a_process_has_its_own(spark: SparkSession, events: Path) -> None:
    """While the table cannot be read, a process remembers by itself; it tells the table later."""
    memory = TableMemory(spark)
    folder = events / "metadata"
    moved = folder.rename(events / "away")
    memory.recall()
    memory.note_seen("small files", "5")
    memory.save()
    assert memory.seen("small files") == "5"
    moved.rename(folder)
    memory.save()
    assert recalled(spark).seen("small files") == "5"
    assert f"{PREFIX}seen.small-files" in {row.key for row in spark.sql(f"SHOW TBLPROPERTIES {EVENTS}").collect()}


def test_those_that_waited_longest_come_first() -> None:
    """Steps that ran longest ago come first, but after those that come before them; a failure stops no other."""
    memory, did = Memory(), list[str]()

    def step(name: str, *after: str, fails: bool = False) -> Step:
        def does() -> str:
            did.append(name)
            if fails:
                raise PySparkException("no")
            return "done"

        return Step(name, does, after=after)

    memory.note_run("a", time.time() - 10)
    memory.note_run("c", time.time() - 20)
    steps = [step("a"), step("b", "a", fails=True), step("c"), step("d", "b")]
    assert do(memory, *steps).keys() == {"b"}
    assert did == ["c", "a", "b", "d"]
    assert memory.tried("b") > memory.ran("b") == 0
