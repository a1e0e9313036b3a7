"""The stack as processes: errors before it starts, and recovery after kills."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests
from testbed.settings import HOST, Ports, Settings, SettingsError
from testbed.stack import jdk
from testbed.stack.programs import trino_cli
from testbed.stack.stack import Stack, StackError
from testbed.waiting import wait_until

from tests.command import PYTHONPATH, port_settings, run_testbed
from tests.local.lake import Lake
from tests.poison import EXAMPLES

DEAD_PROXY = dict.fromkeys(
    ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://{HOST}:9"
) | {"no_proxy": "", "NO_PROXY": "intranet"}


@pytest.fixture(scope="module")
def whole(stack: Stack) -> Iterator[Stack]:
    """The stack with its stream and maintenance, which write to the table: other modules' tests run without them."""
    yield stack
    for name in ("maintenance", "stream"):
        stack[name].stop()


def test_everything_is_killed_at_once(whole: Stack, lake: Lake) -> None:
    """After kill -9 of every process and a restart, the topic and the table are unchanged, and new events arrive."""
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
    """Servers of the stack listen on loopback only."""
    addresses = {
        connection.laddr.ip
        for name, _, pid, _ in whole.status()
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {ip.removeprefix("::ffff:") for ip in addresses} == {HOST}


def test_blocks_need_a_token(whole: Stack) -> None:
    """The DataNode has the NameNode's keys, and by them checks what clients show it."""
    assert "Block token params received from NN" in whole["datanode"].log.read_text()


def test_a_web_page_changes_no_file(whole: Stack) -> None:
    """What a browser sends to WebHDFS without asking first, such as a form, is refused if it is no mere question."""
    for port in whole.settings.namenode_http_ports:
        url = f"http://{HOST}:{port}/webhdfs/v1/lake?op=TRUNCATE&newlength=0"
        answer = requests.post(url, headers={"User-Agent": "Mozilla/5.0"}, timeout=10)
        assert answer.status_code == 400
        assert "CSRF" in answer.text


def test_status_names_dead_servers(whole: Stack) -> None:
    """`status` succeeds while all servers are ready, describes the stream, and names a dead server with its log."""
    # With a dead proxy: clients do not use one for this machine.
    variables = {"GAMELAKE_DATA": str(whole.settings.data), **port_settings(whole.settings.ports), **DEAD_PROXY}
    ready = run_testbed("status", **variables)
    assert ready.returncode == 0, ready
    assert re.search(r"^the stream is \d+ offsets behind, ", ready.stdout, re.MULTILINE)
    assert re.search(r"^freshness: Trino's newest row is \d+\.\d s older than ", ready.stdout, re.MULTILINE)
    whole["datanode"].kill()
    try:
        degraded = run_testbed("status", **variables)
        assert degraded.returncode == 1
        assert "datanode    died" in degraded.stdout
        assert "DataNode" in degraded.stdout.split("the end of")[1]
    finally:
        whole.up(["namenode", "datanode"])
    wait_until("all servers to be ready", lambda: run_testbed("status", **variables).returncode == 0)


def test_sessions_are_utc(whole: Stack) -> None:
    """Trino's prompt and our own clients use UTC, whatever the machine's time zone is."""
    elsewhere = {**os.environ, "TZ": "Asia/Kathmandu"}
    prompt = trino_cli(whole.settings)[1]
    query = "SELECT current_timezone()"
    prompted = subprocess.run([*prompt, "--execute", query], env=elsewhere, capture_output=True, text=True, check=True)
    assert prompted.stdout == '"UTC"\n'
    program = (
        "from testbed.clients import sql\nfrom testbed.settings import Settings\n"
        f"print(sql.ask(Settings.from_environment(), {query!r})[1])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**elsewhere, "PYTHONPATH": PYTHONPATH, **port_settings(whole.settings.ports)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == "[['UTC']]\n"


def test_trino_behind_a_proxy(whole: Stack) -> None:
    """Trino accepts a proxy's X-Forwarded headers, and its links name the proxy's address."""
    headers = {
        "X-Trino-User": "test",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "trino.example.com",
    }
    answer = requests.post(f"{whole.settings.trino_url}/v1/statement", b"SELECT 1", headers=headers, timeout=20)
    assert answer.status_code == 200
    assert answer.json()["nextUri"].startswith("https://trino.example.com")


def test_a_second_stream_keeps_the_log_of_the_first(whole: Stack) -> None:
    """A job that runs beside a server of the same name appends to that server's log."""
    log = whole["stream"].log
    before = log.read_bytes()
    assert b"streaming events" in before
    variables = {"GAMELAKE_DATA": str(whole.settings.data), **port_settings(whole.settings.ports)}
    second = run_testbed("job", "stream.py", **variables)
    assert second.returncode == 1
    assert "METRICS_PORT: cannot listen" in second.stderr
    assert log.read_bytes().startswith(before)
    # Its error shows its own output only.
    assert "streaming events" not in second.stderr


def test_another_namenode_port(whole: Stack, lake: Lake) -> None:
    """No path contains a port: at another one of the NameNode every row is read, and new ones are written."""
    rows, places = lake.rows(), lake.places()
    ports = replace(whole.settings.ports, namenode=Ports.free().namenode)
    elsewhere = Stack(replace(whole.settings, ports=ports))
    whole.down()
    try:
        elsewhere.up([name for name in elsewhere.names if name not in ("stream", "maintenance")])
        there = Lake(elsewhere)
        assert there.rows() == rows
        new = there.write([(EXAMPLES / "default.json").read_bytes()])
        there.job("batch.py", "load")
        assert there.places() == sorted([*places, *new])
        assert there.ask(
            "SELECT count(*) FROM lake.default.\"events$files\" WHERE file_path NOT LIKE 'hdfs://lake/%'"
        ) == [[0]]
    finally:
        elsewhere.down()
        whole.up()


def test_a_server_that_dies_is_named(tmp_path: Path) -> None:
    """A server that fails to start is named with the last lines of its log, and nothing keeps running."""
    settings = Settings.isolated(tmp_path)
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka/meta.properties").write_text("version=1\ncluster.id=another\nnode.id=7\n")
    one = Stack(settings)
    with pytest.raises(StackError, match=r"(?s)kafka died.*kafka\.log:\n.*node id 7"):
        one.up(["kafka"])
    assert not one.any_alive


def test_a_taken_port_is_reported_before_anything_starts(tmp_path: Path) -> None:
    """A taken port is reported with the variable that changes it, and nothing starts."""
    ports = Ports.free()
    with socket.socket() as holder:
        holder.bind((HOST, ports.metastore))
        holder.listen()
        answer = run_testbed("up", GAMELAKE_DATA=str(tmp_path / "data"), **port_settings(ports))
    assert answer.returncode == 1
    assert f"METASTORE_PORT: expected a free port for metastore, got {ports.metastore}, which is taken" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_a_missing_maven_is_reported(tmp_path: Path) -> None:
    """With an empty cache and no Maven on the PATH, the error names Maven, and nothing starts."""
    answer = run_testbed(
        "up",
        PATH=f"{Path(sys.executable).parent}",
        GAMELAKE_DATA=str(tmp_path / "data"),
        GAMELAKE_CACHE=str(tmp_path / "cache"),
        **port_settings(Ports.free()),
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: mvn: expected Maven on the PATH")
    assert not (tmp_path / "data").exists()


def test_a_missing_jdk_is_reported() -> None:
    """The error about a missing JDK names its version and the versions found."""
    with pytest.raises(SettingsError, match=r"JAVA_HOME: Trino needs a JDK 99; found \d+"):
        jdk.find("Trino", 99)


def test_a_bad_port_is_refused() -> None:
    """A port that is not a number is refused with the name of its variable."""
    answer = run_testbed("status", TRINO_PORT="eighty")
    assert answer.returncode == 1
    assert answer.stderr == "error: TRINO_PORT: expected a port from 1 to 65535, got 'eighty'\n"


def test_a_failed_fetch_leaves_nothing(tmp_path: Path) -> None:
    """A failed download is reported, and leaves no partial folder in the cache."""
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2/settings.xml").write_text(
        "<settings><mirrors><mirror><id>none</id><mirrorOf>*</mirrorOf>"
        f"<url>http://{HOST}:{Ports.free().api}</url></mirror></mirrors></settings>"
    )
    cache = tmp_path / "cache"
    answer = run_testbed(
        "up",
        MAVEN_OPTS=f"-Duser.home={tmp_path}",
        GAMELAKE_DATA=str(tmp_path / "data"),
        GAMELAKE_CACHE=str(cache),
        **port_settings(Ports.free()),
    )
    assert answer.returncode == 1
    assert "/fetch: failed with exit code " in answer.stderr
    assert {path.name for path in cache.iterdir()} == {"lock"}
