"""The NameNode's log of edits: checkpoints keep it short while it runs, and it starts from them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from testbed.clients import webhdfs
from testbed.settings import Settings
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

FOLDER = "/made"
PATIENCE = 60


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """HDFS alone, whose checkpoint is due after a few edits."""
    monkeypatch.setenv("HDFS_CHECKPOINT_TXNS", "20")
    monkeypatch.setenv("HDFS_CHECKPOINT_CHECK_SECONDS", "1")
    one = Stack(Settings.isolated(tmp_path))
    try:
        one.up(["namenode", "secondarynamenode", "datanode"])
        yield one
    finally:
        one.down()


def edits(stack: Stack) -> set[str]:
    """The files of the NameNode's log of edits that are closed."""
    return {one.name for one in (stack.settings.data / "namenode/name/current").glob("edits_0*")}


def test_old_edits_go(stack: Stack) -> None:
    """While the NameNode runs, edits older than its checkpoints are deleted; a start from these knows every name."""
    numbers = count()
    made: set[str] = set()

    def a_log() -> set[str]:
        name = f"folder-{next(numbers)}"
        webhdfs.make_folder(stack.settings, f"{FOLDER}/{name}")
        made.add(name)
        return edits(stack)

    first = wait_until("edits that are closed", a_log, PATIENCE, pause=0.02)
    wait_until("those to be deleted", lambda: not first & a_log(), PATIENCE, pause=0.02)
    stack["namenode"].kill()
    stack.up(["namenode"])
    assert set(webhdfs.names(stack.settings, FOLDER)) == made
    # What makes the checkpoints finds the NameNode again.
    second = edits(stack)
    wait_until("another checkpoint", lambda: not second & a_log(), PATIENCE, pause=0.02)
