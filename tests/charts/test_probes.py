"""The scripts that the kubelet runs in pods, against servers that answer like the real ones."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer

import psutil
import pytest
import requests
from testbed.waiting import wait_until

from tests.charts.rendering import ROOT, Charts, of

JMX = "hdfs/files/jmx"
SRVR = "hdfs/files/srvr"
QUERY = "hive-metastore/files/query"
METRICS = "hdfs/files/metrics.py"
STARTED = "trino/files/started"
DRAIN = "trino/files/drain"
AWAKE = "api/files/awake"


def run(script: str, *arguments: object) -> bool:
    command = ["bash", str(ROOT / "charts" / script), *map(str, arguments)]
    return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=240).returncode == 0


@contextmanager
def serving(server: TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def http(answer: Callable[[str, str], str]) -> HTTPServer:
    """A server that answers by request line and body; without a Host header it refuses, as DataNodes do."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            text = answer(self.requestline, body).encode()
            self.send_response(200 if self.headers.get("Host") else 400)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text if self.headers.get("Host") else b"")

        do_PUT = do_GET  # noqa: N815 the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
            pass

    return HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def unused_port() -> int:
    """A port without a listener."""
    with serving(http(lambda _, __: "")) as port:
        return port


def test_an_hdfs_probe_reads_a_jmx_bean() -> None:
    """The probe succeeds only if the requested bean contains the text."""
    beans = {"State": '{"FSState" : "Operational"}', "Info": '{"ActorState" : "CONNECTING"}'}
    with serving(
        http(lambda line, _: next(text for bean, text in beans.items() if f"qry=name={bean}" in line))
    ) as port:
        assert run(JMX, port, "name=State", "Operational")
        assert not run(JMX, port, "name=Info", "RUNNING")


@pytest.mark.parametrize(
    ("states", "serves"),
    [
        (("RUNNING", "RUNNING"), True),
        (("RUNNING", "CONNECTING"), True),
        (("RUNNING", "INIT_FAILED"), True),
        (("RUNNING", "FAILED"), False),
        (("CONNECTING", "CONNECTING"), False),
    ],
)
def test_a_datanode_that_has_given_a_namenode_up_is_restarted(
    charts: Charts, states: tuple[str, str], serves: bool
) -> None:
    """It goes on with the other one for good; one that waits for a NameNode is all right, if it has another one."""
    info = json.dumps([{"NamenodeAddress": "namenode:8020", "ActorState": state} for state in states])
    bean = json.dumps({"beans": [{"BPServiceActorInfo": info}]})
    [datanode] = of(charts.render("hdfs"), "StatefulSet", "datanode")
    [container] = datanode["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["exec"] == container["readinessProbe"]["exec"]
    _, _, _, name, *texts = container["livenessProbe"]["exec"]["command"]
    with serving(http(lambda line, _: bean if f"qry={name} " in line else "")) as port:
        assert run(JMX, port, name, *texts) == serves


@pytest.mark.parametrize(
    ("answer", "serves"),
    [
        (b"Zookeeper version: 3.8.6\nMode: leader\n", True),
        (b"This ZooKeeper instance is not currently serving requests\n", False),
    ],
)
def test_a_zookeeper_probe_asks_for_its_mode(answer: bytes, serves: bool) -> None:
    """A ZooKeeper that has lost the others listens, but is not ready."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(4) == b"srvr":
                self.request.sendall(answer)

    with serving(TCPServer(("127.0.0.1", 0), Handler)) as port:
        assert run(SRVR, port) == serves


def test_a_trino_node_has_started_when_it_reports_it() -> None:
    """A node that listens but is still starting is not ready."""
    with serving(http(lambda _, __: '{"starting":true}')) as port:
        assert not run(STARTED, port)
    with serving(http(lambda line, _: '{"starting":false}' if "/v1/info " in line else "")) as port:
        assert run(STARTED, port)


def test_draining_waits_until_the_worker_has_stopped() -> None:
    """The hook shuts the worker down and returns only when it no longer listens."""
    requests: list[tuple[str, str]] = []

    def note(line: str, body: str) -> str:
        requests.append((line, body))
        return ""

    with serving(http(note)) as port:
        draining = subprocess.Popen(["bash", str(ROOT / "charts" / DRAIN), str(port)])
        wait_until("the request", lambda: requests)
        time.sleep(1.5)
        assert draining.poll() is None
    assert draining.wait(240) == 0
    assert requests[0] == ("PUT /v1/info/state HTTP/1.1", '"SHUTTING_DOWN"')


def thrift(answer: bytes) -> TCPServer:
    """A metastore that answers the probe's call and keeps the connection open."""
    call = b"\x80\x01\x00\x01\x00\x00\x00\x11get_all_databases\x00\x00\x00\x00\x00"

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(len(call), 0x100) == call:
                self.request.sendall(answer)
            self.request.recv(1)

    return TCPServer(("127.0.0.1", 0), Handler)


def test_a_metastore_probe_lists_the_databases() -> None:
    """The probe returns at once when the response has the database `default`."""
    reply = b"\x80\x01\x00\x02\x00\x00\x00\x11get_all_databases\x00\x00\x00\x00\x0f\x00\x00\x0b\x00\x00\x00\x01"
    with serving(thrift(reply + b"\x00\x00\x00\x07default\x00")) as port:
        began = time.monotonic()
        assert run(QUERY, "127.0.0.1", port)
        assert time.monotonic() - began < 8


def test_a_metastore_without_its_database_is_not_ready() -> None:
    """An error instead of the names, on a connection that stays open, makes the probe fail."""
    with serving(thrift(b"\x80\x01\x00\x03\x00\x00\x00\x11get_all_databases\x00\x00\x00\x00oops\x00")) as port:
        assert not run(QUERY, "127.0.0.1", port)


@pytest.mark.parametrize(("work", "alive"), [("while :; do sleep 0.1; done", True), ("sleep 600", False)])
def test_a_hanging_process_is_detected(tmp_path: Path, work: str, alive: bool) -> None:
    """A child that keeps waking up is alive; one that waits forever is detected by the second probe."""
    parent = subprocess.Popen(["bash", "-c", f"bash -c {shlex.quote(work)} & wait"], start_new_session=True)
    try:
        [child] = wait_until("the child", lambda: psutil.Process(parent.pid).children())
        # The one that waits forever has begun to wait.
        wait_until("its sleep", lambda: alive or (child.name(), child.status()) == ("sleep", psutil.STATUS_SLEEPING))
        note = tmp_path / "count"
        assert run(AWAKE, parent.pid, note)
        time.sleep(2)
        assert run(AWAKE, parent.pid, note) == alive
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
    assert not run(AWAKE, parent.pid, tmp_path / "gone")


@pytest.mark.parametrize(("script", "succeeds"), [(JMX, False), (STARTED, False), (DRAIN, True)])
def test_without_a_listener(unused_port: int, script: str, succeeds: bool) -> None:
    """A server that does not listen is not ready, and has nothing to drain."""
    assert run(script, unused_port, "name=State", "Operational") == succeeds


def test_metrics_have_a_port_of_their_own(unused_port: int) -> None:
    """The container beside a server of HDFS serves its metrics, whatever proxy there is, and no other path."""
    with serving(http(lambda line, _: "fs_files 3" if line.startswith("GET /prom ") else "secret")) as web:
        command = [sys.executable, str(ROOT / "charts" / METRICS), str(web), str(unused_port)]
        proxy = {**os.environ, "http_proxy": "http://127.0.0.1:9"}
        with subprocess.Popen(command, env=proxy) as running:
            try:

                def get(path: str) -> tuple[int, str]:
                    answer = requests.get(f"http://127.0.0.1:{unused_port}{path}", timeout=10)
                    return answer.status_code, answer.text

                def answers() -> bool:
                    with suppress(requests.ConnectionError):
                        return get("/metrics") == (200, "fs_files 3")
                    return False

                wait_until("the metrics", answers, 30)
                assert get("/webhdfs/v1/")[0] == get("/prom")[0] == get("/metrics/../prom?")[0] == 404
            finally:
                running.terminate()
