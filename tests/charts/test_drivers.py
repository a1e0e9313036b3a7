"""The program that ends drivers by the Kubernetes API, against a server that answers like the real one."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from testbed.waiting import wait_until

from tests.charts.rendering import ROOT, Object
from tests.charts.test_probes import serving

PODS = "/api/v1/namespaces/game/pods"
STREAM = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/game/sparkapplications/stream"


class Api:
    """Objects by their paths, and the deletions that were requested, each with its body."""

    def __init__(self, objects: dict[str, Object]) -> None:
        self.objects = objects
        self.deletions: list[tuple[str, Object]] = []
        self.lists = 0

    def answer(self, method: str, path: str, body: Object) -> tuple[int, Object]:
        if path == f"{PODS}?labelSelector=spark-role":
            self.lists += 1
            return 200, {"items": [one for at, one in self.objects.items() if at.startswith(PODS)]}
        if path not in self.objects:
            return 404, {}
        if method == "DELETE":
            self.deletions.append((path, body))
            return 200, self.objects.pop(path)
        return 200, self.objects[path]

    def server(self) -> HTTPServer:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
                allowed = self.headers["Authorization"] == "Bearer secret"
                status, answer = api.answer(self.command, self.path, body) if allowed else (401, {})
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_DELETE = do_GET  # noqa: N815 the library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
                pass

        return HTTPServer(("127.0.0.1", 0), Handler)


def credentials(folder: Path) -> ssl.SSLContext:
    """Write what the kubelet mounts for an account; return the context of the server that it is for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.crt").write_bytes(certificate.public_bytes(pem))
    (folder / "server.key").write_bytes(private)
    (folder / "token").write_text("secret")
    (folder / "namespace").write_text("game")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.crt", folder / "server.key")
    return context


@contextmanager
def running(api: Api, folder: Path, command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the program as its pod does, while the block lasts."""
    server = api.server()
    server.socket = credentials(folder).wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        environment = {
            **os.environ,
            "CREDENTIALS": str(folder),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(port),
            "IMAGE": "gamelake/spark:2",
            "TMPDIR": str(folder),
        }
        program = (ROOT / "charts/spark/files/drivers.py").read_text()
        started = subprocess.Popen([sys.executable, "-c", program, command], env=environment)
        try:
            yield started
        finally:
            started.kill()
            started.wait()


def pod(name: str, ready: bool, containers_ready: bool, ends: str = "") -> Object:
    conditions = {"Ready": ready, "ContainersReady": containers_ready}
    deletion = {"deletionTimestamp": ends} if ends else {}
    return {
        "metadata": {"name": name, "uid": f"uid of {name}", **deletion},
        "spec": {"nodeName": "one"},
        "status": {"conditions": [{"type": kind, "status": str(value)} for kind, value in conditions.items()]},
    }


def test_pods_of_a_silent_machine_are_given_up(tmp_path: Path) -> None:
    """A driver or executor that is being deleted is given up if its machine does not answer, and no other."""
    soon, past = "2999-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
    lost = {f"{PODS}/{name}": pod(name, False, True, soon) for name in ("stream-driver", "stream-exec-1")}
    # It was starting when its machine was lost.
    lost[f"{PODS}/tables-driver"] = pod("tables-driver", False, False, past)
    kept = {
        f"{PODS}/{name}": pod(name, *states)
        for name, states in {
            "running": (True, True),
            # Its machine may answer again before the pod has to leave it.
            "silent": (False, True),
            "ending": (True, True, soon),
            "ended": (False, False, soon),
            "starting": (False, False),
        }.items()
    }
    api = Api({**lost, **kept})
    with running(api, tmp_path, "reap"):
        wait_until("two looks", lambda: api.lists == 2)
    assert api.objects == kept
    at_once = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
    assert dict(api.deletions) == {
        path: {**at_once, "preconditions": {"uid": one["metadata"]["uid"]}} for path, one in lost.items()
    }
    assert (tmp_path / "looked").exists()


@pytest.mark.parametrize(("image", "deleted"), [("gamelake/spark:1", [STREAM]), ("gamelake/spark:2", [])])
def test_a_stream_of_another_image_ends(tmp_path: Path, image: str, deleted: list[str]) -> None:
    """It is deleted, and the program waits until its driver has gone; one of the same image is left alone."""
    driver = f"{PODS}/stream-driver"
    api = Api({STREAM: {"spec": {"image": image}}, driver: pod("stream-driver", True, True)})
    with running(api, tmp_path, "stop-stream") as program:
        if deleted:
            wait_until("the deletion", lambda: api.deletions)
            assert program.poll() is None
            del api.objects[driver]
        assert program.wait(60) == 0
    assert [path for path, _ in api.deletions] == deleted
