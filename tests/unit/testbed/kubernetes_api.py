"""A small Kubernetes API server for one namespace, with as much of the protocol as the testbed's client needs."""

import base64
import hashlib
import json
import os
import struct
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]

KINDS = {
    ("", "v1"): {
        "configmaps": "ConfigMap",
        "namespaces": "Namespace",
        "persistentvolumeclaims": "PersistentVolumeClaim",
        "pods": "Pod",
        "secrets": "Secret",
        "services": "Service",
    },
    ("apps", "v1"): {"deployments": "Deployment", "statefulsets": "StatefulSet"},
    ("policy", "v1"): {"poddisruptionbudgets": "PodDisruptionBudget"},
    ("apiextensions.k8s.io", "v1"): {"customresourcedefinitions": "CustomResourceDefinition"},
    ("kafka.strimzi.io", "v1"): {
        "kafkas": "Kafka",
        "kafkanodepools": "KafkaNodePool",
        "kafkatopics": "KafkaTopic",
        "kafkausers": "KafkaUser",
    },
    ("rbac.authorization.k8s.io", "v1"): {"rolebindings": "RoleBinding"},
    ("networking.k8s.io", "v1"): {"networkpolicies": "NetworkPolicy"},
    ("sparkoperator.k8s.io", "v1beta2"): {"sparkapplications": "SparkApplication"},
}
_FRAME = 32_768
_WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What the protocol adds to the client's key."""

CLUSTER_SCOPED = ("Namespace", "CustomResourceDefinition")


class KubernetesApi:
    """Serves `objects`, by kind and name; sends the `events` of each kind to its next watch; runs commands itself."""

    def __init__(self, kubeconfig: Path) -> None:
        self.objects: dict[str, dict[str, Object]] = {kind: {} for kinds in KINDS.values() for kind in kinds.values()}
        self.events: dict[str, Queue[Object]] = {kind: Queue() for kind in self.objects}
        self.lists: dict[str, threading.Event] = {kind: threading.Event() for kind in self.objects}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._write(kubeconfig)

    def put(self, *objects: Object) -> None:
        for one in objects:
            one["metadata"].setdefault("uid", one["metadata"]["name"])
            self.objects[one["kind"]][one["metadata"]["name"]] = one

    def __enter__(self) -> "KubernetesApi":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: Object | None) -> tuple[int, Object]:
        """Return the answer to a request that is no watch; a request with a body applies it."""
        if path == "/version":
            return 200, {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "groups": [_group(*one) for one in KINDS if one[0]]}
        for (group, version), kinds in KINDS.items():
            root = f"/apis/{group}/{version}" if group else f"/api/{version}"
            if path == root:
                return 200, {"kind": "APIResourceList", "resources": [_resource(*one) for one in kinds.items()]}
            for plural, kind in kinds.items():
                scope = root if kind in CLUSTER_SCOPED else f"{root}/namespaces/gamelake"
                if path == f"{scope}/{plural}":
                    self.lists[kind].set()
                    return 200, _list(kind, f"{group}/{version}".lstrip("/"), [*self.objects[kind].values()])
                folder, _, name = path.rpartition("/")
                if folder == f"{scope}/{plural}":
                    return self._one(kind, name, body)
        return 404, {"kind": "Status", "message": f"nothing at {path}"}

    def _one(self, kind: str, name: str, body: Object | None) -> tuple[int, Object]:
        if body:
            self.put(body)
        if name in self.objects[kind]:
            return 200, self.objects[kind][name]
        return 404, {"kind": "Status", "message": f'{kind} "{name}" not found'}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = parse_qs(url.query)
                if url.path.endswith("/exec"):
                    self._execute(query)
                elif "watch" in query:
                    self._watch(url.path.rpartition("/")[2], float(query["timeoutSeconds"][0]))
                else:
                    self._send(*api.answer(url.path, None))

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._send(*api.answer(urlsplit(self.path).path, body))

            def log_message(self, *_: object) -> None:
                pass

            def _send(self, status: int, body: Object) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _watch(self, plural: str, seconds: float) -> None:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                [kind] = [kinds[plural] for kinds in KINDS.values() if plural in kinds]
                event: Object = {}
                with suppress(Empty):
                    # An error is the last event of a watch.
                    while event.get("type") != "ERROR":
                        event = api.events[kind].get(timeout=seconds)
                        self._chunk(json.dumps(event).encode() + b"\n")
                self._chunk(b"")

            def _execute(self, query: dict[str, list[str]]) -> None:
                """Run a command by the protocol v5.channel.k8s.io, over a WebSocket."""
                accepted = hashlib.sha1(f"{self.headers['Sec-WebSocket-Key']}{_WEBSOCKET}".encode()).digest()  # noqa: S324
                self.send_response(101)
                self.send_header("Upgrade", "websocket")
                self.send_header("Connection", "Upgrade")
                self.send_header("Sec-WebSocket-Accept", base64.b64encode(accepted).decode())
                self.send_header("Sec-WebSocket-Protocol", "v5.channel.k8s.io")
                self.end_headers()
                stdin = b""
                while query["stdin"] == ["true"] and (frame := self._receive()) != b"\xff\x00":
                    stdin += frame[1:]
                # A command sees in which container it was to run.
                chosen = {**os.environ, "CONTAINER": "".join(query.get("container", []))}
                done = subprocess.run(query["command"], input=stdin, capture_output=True, check=False, env=chosen)
                failed = {"status": "Failure", "message": f"exit code {done.returncode}"}
                status = json.dumps(failed if done.returncode else {"status": "Success"}).encode()
                for channel, output in ((1, done.stdout), (2, done.stderr), (3, status)):
                    for start in range(0, len(output), _FRAME):
                        self._frame(0x82, bytes([channel]) + output[start : start + _FRAME])
                self._frame(0x88, struct.pack(">H", 1000))
                self.close_connection = True

            def _receive(self) -> bytes:
                length = self.rfile.read(2)[1] & 0x7F
                if form := {126: ">H", 127: ">Q"}.get(length):
                    [length] = struct.unpack(form, self.rfile.read(struct.calcsize(form)))
                mask, content = self.rfile.read(4), self.rfile.read(length)
                return bytes(byte ^ mask[index % 4] for index, byte in enumerate(content))

            def _frame(self, head: int, content: bytes) -> None:
                self.wfile.write(struct.pack(">BBH", head, 126, len(content)) + content)

            def _chunk(self, content: bytes) -> None:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

        return Handler

    def _write(self, kubeconfig: Path) -> None:
        server = {"name": "one", "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}
        kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        kubeconfig.write_text(
            json.dumps(
                {
                    "clusters": [server],
                    "users": [{"name": "one", "user": {}}],
                    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
                    "current-context": "one",
                }
            )
        )


def _group(name: str, version: str) -> Object:
    only = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [only], "preferredVersion": only}


def _resource(plural: str, kind: str) -> Object:
    return {"name": plural, "kind": kind, "namespaced": kind not in CLUSTER_SCOPED, "verbs": ["get", "list", "watch"]}


def _list(kind: str, version: str, items: list[Object]) -> Object:
    metadata = {"resourceVersion": "1"}
    return {"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": items}
