"""A lake that is lost, but for a backup or a copy of its files: it is restored as docs/operating.md describes."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.audit.audit import audit
from testbed.settings import HOST, ROOT, Settings
from testbed.stack.hdfs import hdfs_environment
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.local.test_ledger import differences
from tests.local.test_move import SERVERS
from tests.poison import EXAMPLES, POISON

WITH_CHECKPOINTS = (*SERVERS, "secondarynamenode")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers that a lake needs, with its tables, and a checkpoint of HDFS every few seconds."""
    one = Stack(Settings.isolated(tmp_path_factory.mktemp("lake") / "lost"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDFS_CHECKPOINT_SECONDS", "5")
        patch.setenv("HDFS_CHECKPOINT_CHECK_SECONDS", "1")
        try:
            one.up(WITH_CHECKPOINTS)
            Lake(one).job("tables.py")
            yield one
        finally:
            one.down()


def hdfs(stack: Stack, *arguments: str, **environment: str) -> str:
    """Run a command of HDFS, and return its output."""
    command = [ROOT / "images/hdfs/run", *arguments]
    own = {**hdfs_environment(stack.settings), **environment}
    return subprocess.run(command, env=own, check=True, capture_output=True, text=True).stdout


def back_up(stack: Stack, to: Path) -> Path:
    """Make a backup of HDFS in a folder, as the only one, and return it."""
    addresses = f"{HOST}:{stack.settings.ports.namenode_http}"
    hdfs(stack, "backup", str(to), HDFS_NAMENODES_HTTP=addresses, BACKUP_KEEP="1")
    [backup] = to.glob("*Z")
    assert {one.name for one in to.iterdir()} == {"lock", backup.name}
    return backup


def snapshots(stack: Stack) -> set[str]:
    """Return the names of the snapshots of the lake."""
    return {Path(one).name for one in hdfs(stack, "dfs", "-ls", "-C", "/lake/.snapshot").split()}


def is_healthy(stack: Stack) -> bool:
    """Whether every block of the lake's files is on a DataNode."""
    try:
        return "is HEALTHY" in hdfs(stack, "fsck", "/lake")
    except subprocess.CalledProcessError:
        return False


def blocks(stack: Stack) -> set[str]:
    """Return the names of all blocks on the DataNode."""
    return {one.stem for one in (stack.settings.data / "datanode").rglob("blk_*.meta")}


def test_names_from_a_backup(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the NameNode's volume lost, a backup has the rows of then, the rest is loaded, and the ledger is clean."""
    lake = Lake(stack)
    lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
    lake.job("batch.py", "load")
    first = back_up(stack, tmp_path)
    backup = back_up(stack, tmp_path)
    assert backup != first
    assert snapshots(stack) == {backup.name}
    assert any((backup / "events/metadata").glob("*.metadata.json"))
    known = blocks(stack)
    lake.write([(EXAMPLES / "default.json").read_bytes()])
    lake.job("batch.py", "load")
    rows = lake.rows()
    younger = blocks(stack) - known
    assert younger

    for name in ("secondarynamenode", "namenode"):
        stack[name].kill()
        shutil.rmtree(stack.settings.data / name)
    monkeypatch.setenv("HDFS_RESTORE", str(backup))
    stack.up(["namenode"])
    wait_until("the DataNode", lambda: "Live datanodes (1)" in hdfs(stack, "dfsadmin", "-report"), pause=1)
    hdfs(stack, "dfsadmin", "-safemode", "forceExit")
    wait_until("the blocks of all files", lambda: is_healthy(stack), pause=1)
    # New blocks get the numbers of those that the names do not know: these must be gone first.
    hdfs(stack, "dfsadmin", "-triggerBlockReport", f"{HOST}:{stack.settings.ports.datanode_ipc}")
    wait_until("their deletion", lambda: not younger & blocks(stack))
    stack.up(WITH_CHECKPOINTS)
    assert backup.name in snapshots(stack)
    hdfs(stack, "dfs", "-cp", "-f", f"/lake/.snapshot/{backup.name}/events/metadata", "/lake/events")
    lake.job("tables.py", "--register")
    assert 0 < lake.count() < len(rows)
    lake.job("batch.py", "load")
    assert lake.rows() == rows
    assert differences(audit(stack.settings, wait=0)) == {}


def test_from_a_copy_of_the_files(stack: Stack, tmp_path: Path) -> None:
    """With HDFS and metastore gone, a new lake has the copy's rows, loads the rest, and the ledger is clean."""
    lake = Lake(stack)
    lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
    lake.job("batch.py", "load")
    lake.write(value for value, _ in POISON.values())
    lake.job("batch.py", "load")
    # Nothing writes meanwhile: otherwise only a snapshot would have every file that its metadata names.
    for folder in ("data", "metadata"):
        hdfs(stack, "dfs", "-get", f"/lake/events/{folder}", str(tmp_path / folder))
    lake.write([(EXAMPLES / "default.json").read_bytes()])
    lake.job("batch.py", "load")
    rows = lake.rows()
    stack.down()

    restored = Stack(Settings.isolated(tmp_path / "restored"))
    restored.settings.data.mkdir()
    # What is in Kafka outlives the lake.
    shutil.move(stack.settings.data / "kafka", restored.settings.data / "kafka")
    shutil.rmtree(stack.settings.data)
    try:
        restored.up(SERVERS)
        hdfs(restored, "dfs", "-mkdir", "-p", "/lake/events")
        hdfs(restored, "dfs", "-put", str(tmp_path / "data"), str(tmp_path / "metadata"), "/lake/events")
        lake = Lake(restored)
        lake.job("tables.py", "--register")
        assert 0 < lake.count() < len(rows)
        lake.job("batch.py", "load")
        assert lake.rows() == rows
        lake.job("maintain.py")
        assert lake.rows() == rows
        assert differences(audit(restored.settings, wait=0)) == {}
    finally:
        restored.down()
