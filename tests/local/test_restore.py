"""A lake that is lost, but for a copy of the table's files: it is restored as docs/operating.md describes."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.audit.audit import audit
from testbed.settings import ROOT, Settings
from testbed.stack.hdfs import hdfs_environment
from testbed.stack.stack import Stack

from tests.local.lake import Lake
from tests.local.test_ledger import differences
from tests.local.test_move import SERVERS
from tests.poison import EXAMPLES, POISON

pytestmark = pytest.mark.lake


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The servers that a lake needs, with its tables."""
    one = Stack(Settings.isolated(tmp_path / "lost"))
    try:
        one.up(SERVERS)
        Lake(one).job("tables.py")
        yield one
    finally:
        one.down()


def hdfs(stack: Stack, *arguments: str) -> None:
    command = [ROOT / "images/hdfs/run", "dfs", *arguments]
    subprocess.run(command, env=hdfs_environment(stack.settings), check=True, capture_output=True)


def test_from_a_copy_of_the_files(stack: Stack, tmp_path: Path) -> None:
    """With HDFS and metastore gone, a new lake has the copy's rows, loads the rest, and the ledger is clean."""
    lake = Lake(stack)
    lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
    lake.job("batch.py", "load")
    lake.write(value for value, _ in POISON.values())
    lake.job("batch.py", "load")
    # The metadata goes last, so that the copy has every file that it names.
    for folder in ("data", "metadata"):
        hdfs(stack, "-get", f"/lake/events/{folder}", str(tmp_path / folder))
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
        hdfs(restored, "-mkdir", "-p", "/lake/events")
        hdfs(restored, "-put", str(tmp_path / "data"), str(tmp_path / "metadata"), "/lake/events")
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
