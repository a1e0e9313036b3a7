"""The stack as processes: what stops it from starting is said, and what is killed comes back as it was."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from testbed.settings import HOST, ROOT, Ports, Settings, SettingsError
from testbed.stack import jdk
from testbed.stack.programs import trino_cli
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.poison import EXAMPLES


def local(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m testbed`, as make does."""
    return subprocess.run(
        [sys.executable, "-m", "testbed", *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT}/hack:{ROOT}/api:{ROOT}/spark-apps", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def port_settings(ports: Ports) -> dict[str, str]:
    return {f"{name.upper()}_PORT": str(port) for name, port in vars(ports).items()}


DEAD_PROXY = dict.fromkeys(
    ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://{HOST}:9"
) | {"no_proxy": "", "NO_PROXY": "intranet"}


@pytest.fixture(scope="module")
def whole(stack: Stack) -> Iterator[Stack]:
    """With the stream and maintenance too, which write to the table: other modules' tests go without them."""
    yield stack
    for name in ("maintenance", "stream"):
        stack[name].stop()


def test_killed_as_by_a_power_cut(whole: Stack, lake: Lake) -> None:
    """After kill -9 of everything and another start, topic and table are as they were, and events flow."""
    lake.write([path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))])
    lake.job("batch.py", "load")
    offsets, rows = lake.offsets(), lake.rows()
    whole.kill()
    assert not whole.any_alive
    whole.up()
    assert lake.offsets() == offsets
    assert lake.rows() == rows
    new = lake.write([(EXAMPLES / "default.json").read_bytes()])
    lake.job("batch.py", "load")
    assert lake.places() == sorted(offsets | new.keys())


def test_everything_binds_to_loopback(whole: Stack) -> None:
    """No server of the stack listens on any address but loopback."""
    addresses = {
        connection.laddr.ip
        for name, _, pid, _ in whole.status()
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {ip.removeprefix("::ffff:") for ip in addresses} == {HOST}


def test_status_tells_the_living_from_the_dead(whole: Stack) -> None:
    """`status` succeeds while all servers are ready, tells of the stream, and names a dead one with its log's end."""
    # A proxy that is not there: nobody asks one for what is on this machine.
    environment = {"GAMELAKE_DATA": str(whole.settings.data), **port_settings(whole.settings.ports), **DEAD_PROXY}
    healthy = local("status", **environment)
    assert healthy.returncode == 0, healthy
    assert re.search(r"^the stream is \d+ offsets behind, ", healthy.stdout, re.MULTILINE)
    assert re.search(r"^freshness: Trino's newest row is \d+\.\d s older than ", healthy.stdout, re.MULTILINE)
    whole["datanode"].kill()
    try:
        sick = local("status", **environment)
        assert sick.returncode == 1
        assert "datanode    died" in sick.stdout
        assert "DataNode" in sick.stdout.split("the end of")[1]
    finally:
        whole.up(["namenode", "datanode"])
    wait_until("the stack to be well", lambda: local("status", **environment).returncode == 0, 60)


def test_sessions_are_utc(whole: Stack) -> None:
    """Wherever one sits, Trino's prompt and our own clients ask in UTC."""
    elsewhere = {**os.environ, "TZ": "Asia/Kathmandu"}
    prompt = trino_cli(whole.settings)[1]
    question = "SELECT current_timezone()"
    typed = subprocess.run([*prompt, "--execute", question], env=elsewhere, capture_output=True, text=True, check=True)
    assert typed.stdout == '"UTC"\n'
    program = (
        "import sys\nfrom local import answers\nfrom local.settings import Settings\n"
        f"print(answers.ask(Settings.from_environment(), {question!r})[1])"
    )
    paths = f"{ROOT}/hack:{ROOT}/api:{ROOT}/spark-apps"
    asked = subprocess.run(
        [sys.executable, "-c", program],
        env={**elsewhere, "PYTHONPATH": paths, **port_settings(whole.settings.ports)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout == "[['UTC']]\n"


def test_trino_behind_a_proxy(whole: Stack) -> None:
    """What a proxy says of its client's address is no reason to refuse; what follows is told by that address."""
    headers = {
        "X-Trino-User": "test",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "trino.example.com",
    }
    answer = requests.post(f"{whole.settings.trino_url}/v1/statement", b"SELECT 1", headers=headers, timeout=20)
    assert answer.status_code == 200
    assert answer.json()["nextUri"].startswith("https://trino.example.com")


def test_a_second_stream_leaves_the_log_of_the_first(whole: Stack) -> None:
    """A job that is run beside a server of the same name adds to the log of that server."""
    log = whole["stream"].log
    before = log.read_bytes()
    assert b"streaming events" in before
    environment = {"GAMELAKE_DATA": str(whole.settings.data), **port_settings(whole.settings.ports)}
    second = local("job", "stream.py", **environment)
    assert second.returncode == 1
    assert "another stream is at work on" in second.stderr
    assert log.read_bytes().startswith(before)
    # What another one has written there before is not what this one said at its end.
    assert "streaming events" not in second.stderr


def test_data_of_another_port_is_said_at_once(whole: Stack) -> None:
    """With another port of the NameNode than its tables were made at, a data folder is refused by the variable."""
    made = whole.settings.ports.namenode
    environment = {"GAMELAKE_DATA": str(whole.settings.data), **port_settings(whole.settings.ports)}
    other = Ports.free().namenode
    answer = local("up", **environment | {"NAMENODE_PORT": str(other)})
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"error: NAMENODE_PORT: expected {made}, got {other}: the tables in ")
    assert f"Start with NAMENODE_PORT={made}, or name an empty folder as GAMELAKE_DATA." in answer.stderr


def test_a_server_that_dies_is_named(tmp_path: Path) -> None:
    """A server that cannot start is named, with its log's last lines, and nothing is left running."""
    settings = Settings.isolated(tmp_path)
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka/meta.properties").write_text("version=1\ncluster.id=another\nnode.id=7\n")
    one = Stack(settings)
    with pytest.raises(StackError, match=r"(?s)kafka died.*kafka\.log:\n.*node id 7"):
        one.up(["kafka"])
    assert not one.any_alive


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    """A port that is taken is named, with the variable that changes it, and nothing is started."""
    ports = Ports.free()
    with socket.socket() as holder:
        holder.bind((HOST, ports.metastore))
        holder.listen()
        answer = local("up", GAMELAKE_DATA=str(tmp_path / "data"), **port_settings(ports))
    assert answer.returncode == 1
    assert f"METASTORE_PORT: port {ports.metastore}, which metastore needs, is taken" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_a_missing_maven_is_said(tmp_path: Path) -> None:
    """With nothing in the cache and no Maven on the PATH, that is said, and nothing is started."""
    answer = local(
        "up",
        PATH=f"{Path(sys.executable).parent}",
        GAMELAKE_DATA=str(tmp_path / "data"),
        GAMELAKE_CACHE=str(tmp_path / "cache"),
        **port_settings(Ports.free()),
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: mvn: Maven is needed")
    assert not (tmp_path / "data").exists()


def test_a_missing_jdk_is_said() -> None:
    """A JDK that is not there is asked for by version, beside what was found."""
    with pytest.raises(SettingsError, match=r"JAVA_HOME: Trino needs a JDK 99; found \d+"):
        jdk.find("Trino", 99)


def test_a_bad_port_is_refused() -> None:
    """A port that is no number is refused by name."""
    answer = local("status", TRINO_PORT="eighty")
    assert answer.returncode == 1
    assert answer.stderr == "error: TRINO_PORT: expected a port from 1 to 65535, got 'eighty'\n"


def test_a_failed_fetch_leaves_nothing(tmp_path: Path) -> None:
    """A download that fails says so and leaves no half-filled part in the cache."""
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2/settings.xml").write_text(
        "<settings><mirrors><mirror><id>none</id><mirrorOf>*</mirrorOf>"
        f"<url>http://{HOST}:{Ports.free().api}</url></mirror></mirrors></settings>"
    )
    cache = tmp_path / "cache"
    answer = local(
        "up",
        MAVEN_OPTS=f"-Duser.home={tmp_path}",
        GAMELAKE_DATA=str(tmp_path / "data"),
        GAMELAKE_CACHE=str(cache),
        **port_settings(Ports.free()),
    )
    assert answer.returncode == 1
    assert "could not fetch" in answer.stderr
    assert {path.name for path in cache.iterdir()} == {"lock"}
