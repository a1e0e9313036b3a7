"""The stack, without its servers: what it says of data that lies there, and where its jobs write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from testbed.settings import ROOT, Ports, Settings
from testbed.stack.process import Process, Program
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", tmp_path / "cache", Ports.free())


def up(settings: Settings, namenode: int) -> subprocess.CompletedProcess[str]:
    """Run `make up` with this port of the NameNode, and with no Maven: it starts nothing."""
    ports = {f"{name.upper()}_PORT": str(port) for name, port in vars(settings.ports).items()}
    environment = {
        **os.environ,
        **ports,
        "NAMENODE_PORT": str(namenode),
        "GAMELAKE_DATA": str(settings.data),
        "GAMELAKE_CACHE": str(settings.cache),
        "PATH": str(Path(sys.executable).parent),
        "PYTHONPATH": f"{ROOT}/hack:{ROOT}/api:{ROOT}/spark-apps",
    }
    command = [sys.executable, "-m", "testbed", "up"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_data_of_another_namenode_port_is_said_at_once(settings: Settings) -> None:
    """Data whose tables were made at another port of the NameNode is refused by the variable, with what to do."""
    made = settings.ports.namenode
    (settings.data / "namenode").mkdir(parents=True)
    (settings.data / "hdfs-address").write_text(f"{settings.hdfs_uri}\n")
    other = Ports.free().api
    answer = up(settings, other)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"error: NAMENODE_PORT: expected {made}, got {other}: the tables in {settings.data} were made at "
        f"{settings.hdfs_uri} and name their files by it.\n"
        f"Start with NAMENODE_PORT={made}, or name an empty folder as GAMELAKE_DATA.\n"
    )
    assert up(settings, made).stderr.startswith("error: mvn: Maven is needed")


def test_a_job_adds_to_the_log_of_a_server_of_its_name(settings: Settings) -> None:
    """A job whose name a running server has leaves that server's log, and what the server goes on to say, as it is."""
    script = f"echo first >&2; while [ ! -e {settings.data}/told ]; do sleep 0.05; done; echo last >&2"
    server = Process(Program("stream", ["bash", "-c", script], {}), settings)
    server.start()
    wait_until("its first words", lambda: server.log.read_text() == "first\n", 10)
    with pytest.raises(StackError) as failure:
        Stack(settings).run(Program("stream", ["bash", "-c", "echo second >&2; exit 1"], {}, ends=True))
    assert "second" in str(failure.value)
    assert "first" not in str(failure.value)
    (settings.data / "told").touch()
    wait_until("its end", lambda: not server.alive, 10)
    assert server.log.read_text() == "first\nsecond\nlast\n"
