"""The stream's checkpoint, on the local file system: the offsets of batches, and who may write it."""

import json
import threading
from pathlib import Path

import pytest
from lake.checkpoint import Checkpoint, CheckpointError
from lake.offsets import OffsetRange
from pyspark.sql import SparkSession

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of a checkpoint after its second batch, whose commit is missing, as Spark writes it."""
    for number, offsets in enumerate(({"0": 5}, {"0": 7, "1": 2})):
        log = tmp_path / "offsets" / str(number)
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"v1\n{{}}\n{json.dumps({'events': offsets})}")
    (tmp_path / "commits").mkdir()
    (tmp_path / "commits/0").write_text("v1\n{}")
    (tmp_path / "commits/metadata").touch()
    return tmp_path


def checkpoint(spark: SparkSession, folder: Path) -> Checkpoint:
    return Checkpoint(spark, f"file:{folder}")


def test_a_batch_has_the_offsets_since_the_one_before(spark: SparkSession, folder: Path) -> None:
    """A range starts where the previous batch ended, and at 0 if that is unknown."""
    found = checkpoint(spark, folder)
    assert found.ranges(0, "events") == [OffsetRange(0, 0, 5)]
    assert found.ranges(1, "events") == [OffsetRange(0, 5, 7), OffsetRange(1, 0, 2)]
    assert found.ranges(2, "events") == []


def test_the_next_batch_starts_after_the_last_commit(spark: SparkSession, folder: Path, tmp_path: Path) -> None:
    """The position is the end of the last committed batch; without one there is none."""
    assert checkpoint(spark, folder).position("events") == {"0": 5}
    assert checkpoint(spark, tmp_path / "new").position("events") == {}


def test_one_stream_holds_a_checkpoint(spark: SparkSession, tmp_path: Path) -> None:
    """A second stream is refused with the name of the first, which is not disturbed."""
    lost = threading.Event()
    with checkpoint(spark, tmp_path).held(lost.set):
        with (
            pytest.raises(CheckpointError, match=r"another stream is using .*, process \d+\. Stop that one first"),
            checkpoint(spark, tmp_path).held(lost.set),
        ):
            pass
        assert len(list(tmp_path.glob("owners/[!.]*"))) == 1
    assert not lost.is_set()
    assert not list(tmp_path.glob("owners/[!.]*"))


def test_a_dead_stream_does_not_hold_a_checkpoint(spark: SparkSession, tmp_path: Path) -> None:
    """A stream that sends no heartbeat is replaced."""
    (tmp_path / "owners").mkdir()
    dead = tmp_path / "owners/elsewhere_1"
    dead.touch()
    with checkpoint(spark, tmp_path).held(lambda: None):
        assert not dead.exists()


def test_a_stream_whose_checkpoint_is_taken_stops(spark: SparkSession, tmp_path: Path) -> None:
    """A stream that lost its checkpoint is asked to stop, and its error names the stream that has it."""
    lost = threading.Event()

    def stream() -> None:
        with checkpoint(spark, tmp_path).held(lost.set):
            [mine] = tmp_path.glob("owners/[!.]*")
            mine.with_name("elsewhere_1").touch()
            mine.unlink()
            assert lost.wait(30)

    with pytest.raises(CheckpointError, match="taken by another stream: elsewhere, process 1"):
        stream()
