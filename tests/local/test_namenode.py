"""The NameNode's edit log: checkpoints keep it short, and a restart loads them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from testbed.clients import webhdfs
from testbed.settings import Settings
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

pytestmark = pytest.mark.lake

FOLDER = "/folders"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """HDFS alone, with a checkpoint after every few edits."""
    monkeypatch.setenv("HDFS_CHECKPOINT_TXNS", "20")
    monkeypatch.setenv("HDFS_CHECKPOINT_CHECK_SECONDS", "1")
    one = Stack(Settings.isolated(tmp_path))
    try:
        one.up(["namenode", "secondarynamenode", "datanode"])
        yield one
    finally:
        one.down()


def edits(stack: Stack) -> set[str]:
    """Return the closed files of the NameNode's edit log."""
    return {one.name for one in (stack.settings.data / "namenode/name/current").glob("edits_0*")}


def test_old_edits_are_deleted(stack: Stack) -> None:
    """The running NameNode deletes edits older than its checkpoints, and a restart from them knows every folder."""
    numbers = count()
    created: set[str] = set()

    def write_edits() -> set[str]:
        name = f"folder-{next(numbers)}"
        webhdfs.make_folder(stack.settings, f"{FOLDER}/{name}")
        created.add(name)
        return edits(stack)

    first = wait_until("closed edits", write_edits, pause=0.02)
    wait_until("their deletion", lambda: not first & write_edits(), pause=0.02)
    stack["namenode"].kill()
    stack.up(["namenode"])
    assert set(webhdfs.names(stack.settings, FOLDER)) == created
    # The SecondaryNameNode finds the restarted NameNode.
    second = edits(stack)
    wait_until("another checkpoint", lambda: not second & write_edits(), pause=0.02)
