"""The NameNodes' edit log: checkpoints keep it short, a restart loads it, and two NameNodes share it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from shutil import rmtree

import pytest
from testbed.clients import namenodes, webhdfs
from testbed.settings import Settings
from testbed.stack.hdfs import JOURNALNODES, programs
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until

pytestmark = pytest.mark.lake

FOLDER = "/folders"


@contextmanager
def hdfs(settings: Settings) -> Iterator[Stack]:
    """HDFS alone."""
    one = Stack(settings)
    try:
        one.up([program.name for program in programs(settings)])
        yield one
    finally:
        one.down()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A checkpoint after every few edits, and a new file of edits every few seconds."""
    monkeypatch.setenv("HDFS_CHECKPOINT_TXNS", "20")
    monkeypatch.setenv("HDFS_CHECKPOINT_CHECK_SECONDS", "1")
    monkeypatch.setenv("HDFS_EDITS_SECONDS", "2")
    return Settings.isolated(tmp_path)


def edits(stack: Stack) -> set[str]:
    """Return the closed files of the edit log."""
    folder = "journalnode-0/journal/lake" if stack.settings.namenodes == 2 else "namenode/name"
    return {one.name for one in (stack.settings.data / folder / "current").glob("edits_0*")}


def test_old_edits_are_deleted(settings: Settings) -> None:
    """Edits older than the checkpoints are deleted while HDFS runs, and a restart from them knows every folder.

    The same with a second NameNode, with which the first then shares its files: it does not start alone again.
    """
    two = replace(settings, namenodes=2)
    with hdfs(settings) as stack:
        created = delete_edits(stack)
    with hdfs(two) as stack:
        assert set(webhdfs.names(two, FOLDER)) == created
        delete_edits(stack)
    with pytest.raises(StackError, match="expected HDFS_JOURNALNODES, got none"), hdfs(settings):
        pass


def delete_edits(stack: Stack) -> set[str]:
    """Make folders until the edits before a checkpoint are gone, also after a kill; return the names of all folders."""
    created = set(webhdfs.names(stack.settings, FOLDER))
    numbers = count(len(created))

    def write_edits() -> set[str]:
        name = f"folder-{next(numbers)}"
        webhdfs.make_folder(stack.settings, f"{FOLDER}/{name}")
        created.add(name)
        return edits(stack)

    first = wait_until("closed edits", write_edits, pause=0.02)
    wait_until("their deletion", lambda: not first & write_edits(), pause=0.02)
    stack["namenode"].kill()
    stack.up(["namenode"])
    wait_until("a NameNode that is active", lambda: namenodes.active(stack.settings) is not None)
    assert set(webhdfs.names(stack.settings, FOLDER)) == created
    # Whatever makes the checkpoints finds the restarted NameNode.
    second = edits(stack)
    wait_until("another checkpoint", lambda: not second & write_edits(), pause=0.02)
    return created


def test_an_interrupted_first_start(settings: Settings) -> None:
    """A NameNode that is killed while it first writes to the JournalNodes starts the next time."""
    two = replace(settings, namenodes=2)
    stack = Stack(two)
    try:
        stack.up(JOURNALNODES)
        stack["namenode"].start()
        wait_until("a journal", (two.data / "journalnode-0/journal/lake/current/VERSION").exists, pause=0.001)
        stack["namenode"].kill()
        assert not (two.data / "namenode/name/shared").exists()
        with hdfs(two):
            webhdfs.make_folder(two, f"{FOLDER}/first")
            assert webhdfs.names(two, FOLDER) == ["first"]
    finally:
        stack.down()


def test_lost_volumes(settings: Settings) -> None:
    """Each server that loses its volume copies it from the others, and then another one may fail, or all at once."""
    two = replace(settings, namenodes=2)
    made: list[str] = []

    def make_folder() -> bool:
        name = f"folder-{len(made)}"
        try:
            webhdfs.make_folder(two, f"{FOLDER}/{name}")
        except OSError:
            return False
        made.append(name)
        return True

    with hdfs(two) as stack:
        for lost, other in (("namenode", "namenode-1"), ("namenode-1", "namenode"), ("journalnode-1", "journalnode-2")):
            stack[lost].kill()
            rmtree(two.data / lost)
            wait_until("an edit without it", make_folder)
            stack.up([lost])
            if lost in JOURNALNODES:
                wait_until("its journal", lambda: has_journal(two, 1))
            stack[other].kill()
            wait_until("an edit without the other", make_folder)
            stack.up([other])
        stack.kill()
        stack.up([program.name for program in programs(two)])
        wait_until("a NameNode that is active", lambda: namenodes.active(two) is not None)
        assert webhdfs.names(two, FOLDER) == made


def has_journal(settings: Settings, number: int) -> bool:
    """Whether a JournalNode has a journal, to which the NameNode may write."""
    port = getattr(settings.ports, f"journalnode_{number}_http")
    info = namenodes.bean(port, "JournalNodeInfo", "JournalNode") or {}
    return '"Formatted":"true"' in info.get("JournalsStatus", "")
