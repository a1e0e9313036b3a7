"""The stack without its servers: the check of the data folder, and the logs of jobs."""

import subprocess
import sys
from pathlib import Path

import pytest
from testbed.settings import Ports, Settings
from testbed.stack.process import Process, Program
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until

from tests.command import port_settings, run_testbed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", tmp_path / "cache", Ports.free())


def up(settings: Settings, namenode: int) -> subprocess.CompletedProcess[str]:
    """Run `make up` with this NameNode port and without Maven, so that it starts nothing."""
    variables = port_settings(settings.ports) | {
        "NAMENODE_PORT": str(namenode),
        "GAMELAKE_DATA": str(settings.data),
        "GAMELAKE_CACHE": str(settings.cache),
        "PATH": str(Path(sys.executable).parent),
    }
    return run_testbed("up", timeout=60, **variables)


def test_data_of_another_namenode_port_is_refused(settings: Settings) -> None:
    """A data folder whose tables were created at another NameNode port is refused, with the fix."""
    original = settings.ports.namenode
    (settings.data / "namenode").mkdir(parents=True)
    (settings.data / "hdfs-address").write_text(f"{settings.hdfs_uri}\n")
    other = Ports.free().api
    answer = up(settings, other)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"error: NAMENODE_PORT: expected {original}, got {other}: the tables in {settings.data} were created at "
        f"{settings.hdfs_uri}, which is in the paths of their files.\n"
        f"Start with NAMENODE_PORT={original}, or set GAMELAKE_DATA to an empty folder.\n"
    )
    assert up(settings, original).stderr.startswith("error: mvn: expected Maven on the PATH")


def test_a_job_appends_to_the_log_of_a_server_of_its_name(settings: Settings) -> None:
    """A job with the name of a running server keeps that server's log, and the server's later output."""
    script = f"echo first >&2; while [ ! -e {settings.data}/stop ]; do sleep 0.05; done; echo last >&2"
    server = Process(Program("stream", ["bash", "-c", script], {}), settings)
    server.start()
    wait_until("its first line", lambda: server.log.read_text() == "first\n")
    with pytest.raises(StackError) as failure:
        Stack(settings).run(Program("stream", ["bash", "-c", "echo second >&2; exit 1"], {}, ends=True))
    assert "second" in str(failure.value)
    assert "first" not in str(failure.value)
    (settings.data / "stop").touch()
    wait_until("its end", lambda: not server.alive)
    assert server.log.read_text() == "first\nsecond\nlast\n"
