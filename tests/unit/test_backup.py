"""Backups of HDFS: the script, with a stand-in for the commands of HDFS and for the NameNodes' web pages."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from testbed.waiting import wait_until

ROOT = Path(__file__).parents[2]

HDFS = """#!/usr/bin/env bash
case "$1 $2" in
  "dfs -createSnapshot") mkdir "$SNAPSHOTS/$4" ;;
  "dfs -deleteSnapshot") rmdir "$SNAPSHOTS/$4" ;;
  "dfs -ls")
    if [[ $5 == */metadata ]]; then
      echo "${5/\\*/events}"
    else
      ls -d "$SNAPSHOTS"/*Z
    fi
    ;;
  "dfs -get") sleep "$SECONDS_OF_COPYING"; mkdir "$4/metadata" ;;
  "dfsadmin -fetchImage") [[ -z $FULL ]] && echo names >"$3/fsimage_0000000000000000120" ;;
esac
"""


class NameNode(BaseHTTPRequestHandler):
    """Its last checkpoint is later than its snapshots."""

    cluster = "CID-1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path.startswith("/jmx"):
            self.wfile.write(rb"{\"LastAppliedOrWrittenTxId\":\"110\",\"MostRecentCheckpointTxId\":\"120\"}")
        else:
            self.wfile.write(f"<value>namespaceID=1 clusterID={self.cluster} cTime=0</value>".encode())

    def log_message(self, *_: object) -> None:
        """Not beside the test's output."""


class Hdfs:
    """A folder with the script, the snapshots of /lake, and a folder of backups."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        shutil.copy(ROOT / "images/hdfs/backup", folder)
        (folder / "run").write_text(HDFS)
        (folder / "run").chmod(0o755)
        for name in ("backups", "snapshots"):
            (folder / name).mkdir()

    def back_up(self, *, copying: int = 0, full: bool = False) -> subprocess.Popen[str]:
        """Begin a backup, in another second than those before it, whose names are the time."""
        time.sleep(1)
        addresses = f"127.0.0.1:{self.port} 127.0.0.1:{self.port}"
        own = {"HDFS_NAMENODES_HTTP": addresses, "BACKUP_KEEP": "2", "SNAPSHOTS": str(self.folder / "snapshots")}
        own |= {"SECONDS_OF_COPYING": str(copying), "FULL": "yes" if full else ""}
        command = [self.folder / "backup", self.folder / "backups"]
        return subprocess.Popen(command, env=os.environ | own, stdout=subprocess.PIPE, text=True)

    def backed_up(self) -> str:
        """Make a backup, and return its name."""
        printed, _ = self.back_up().communicate(timeout=120)
        return Path(printed.strip()).name

    @property
    def backups(self) -> set[str]:
        return {path.name for path in (self.folder / "backups").iterdir()} - {"lock"}

    @property
    def snapshots(self) -> set[str]:
        return {path.name for path in (self.folder / "snapshots").iterdir()}


@pytest.fixture
def hdfs(tmp_path: Path) -> Iterator[Hdfs]:
    with ThreadingHTTPServer(("127.0.0.1", 0), NameNode) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Hdfs(tmp_path, server.server_port)
        server.shutdown()


def test_the_last_ones_are_kept(hdfs: Hdfs) -> None:
    """With each backup the oldest one beyond those to keep is deleted, and its snapshot."""
    made = [hdfs.backed_up() for _ in range(3)]
    assert hdfs.backups == hdfs.snapshots == set(made[1:])


def test_one_that_fails_leaves_nothing(hdfs: Hdfs) -> None:
    """Neither files nor a snapshot, if the volume is full or its time is over; the earlier ones stay."""
    earlier = hdfs.backed_up()
    assert hdfs.back_up(full=True).wait(timeout=120) == 1
    late = hdfs.back_up(copying=5)
    wait_until("its copy", lambda: any(hdfs.folder.glob("backups/partial-*/events")), pause=0.05)
    assert len(hdfs.snapshots) == 2
    late.terminate()
    assert late.wait(timeout=120) != 0
    assert hdfs.backups == hdfs.snapshots == {earlier}


def test_two_at_once(hdfs: Hdfs) -> None:
    """One begins when the other has ended, and both are complete, with their snapshots."""
    both = [hdfs.back_up(copying=3), hdfs.back_up()]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    assert len(hdfs.backups) == 2
    assert hdfs.backups == hdfs.snapshots


def test_those_of_a_lost_hdfs_stay(hdfs: Hdfs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backups of another HDFS are not counted, and not deleted."""
    lost = {hdfs.backed_up() for _ in range(2)}
    monkeypatch.setattr(NameNode, "cluster", "CID-2")
    made = [hdfs.backed_up() for _ in range(3)]
    assert hdfs.backups == {*lost, *made[1:]}
