"""The stack without its servers: the logs of jobs."""

from pathlib import Path

import pytest
from testbed.settings import Ports, Settings
from testbed.stack.process import Process, Program
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", tmp_path / "cache", Ports.free())


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
