"""The Kubernetes API, through the official client."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError, NotFoundError, ResourceNotFoundError
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL, STDERR_CHANNEL, STDIN_CHANNEL, STDOUT_CHANNEL
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError
from websocket import ABNF, WebSocketException

from testbed.cluster.command import KindError, tail

Object = dict[str, Any]

_VERSIONS = {
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "Deployment": "apps/v1",
    "Kafka": "kafka.strimzi.io/v1",
    "KafkaTopic": "kafka.strimzi.io/v1",
    "KafkaUser": "kafka.strimzi.io/v1",
    "SparkApplication": "sparkoperator.k8s.io/v1beta2",
    "StatefulSet": "apps/v1",
}
"""The API version of each kind that is not in the core group."""

_MANAGER = "gamelake"
_TIMEOUT = 30
"""Seconds for a response."""
_CONNECTIONS = 32
"""Each watch holds one."""
_GONE = 410
"""The status of a watch that starts at a version which the API server no longer has."""


class Api:
    """Reads and changes objects, by their kind, in one namespace. Every error of the API server is a KindError."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._discovery = threading.Lock()

    def find(self, kind: str, selector: str = "") -> list[Object]:
        """Return the objects of a kind that match a label selector."""
        return self._list(kind, label_selector=selector)[0]

    def get(self, kind: str, name: str) -> Object | None:
        """Return an object; None if it does not exist."""
        with _explained(f"{kind} {name}"):
            try:
                return self._request(kind, "get", name=name)
            except NotFoundError:
                return None

    def apply(self, thing: Object) -> None:
        """Create or change an object by server-side apply."""
        with _explained(f"{thing['kind']} {thing['metadata']['name']}"):
            self._request(thing["kind"], "server_side_apply", body=thing, field_manager=_MANAGER, force_conflicts=True)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object; return before it is gone."""
        with _explained(f"{kind} {name}"):
            self._request(kind, "delete", name=name)

    def read(self, path: str) -> Object:
        """Return the JSON at a path of the API server."""
        with _explained(path):
            body: Object = self._client.request("get", path, serializer=_plain, _request_timeout=_TIMEOUT)
            return body

    def wait(
        self, kind: str, ready: Callable[[list[Object]], bool], timeout: float, name: str = "", selector: str = ""
    ) -> None:
        """Watch the objects with a name or label selector until `ready`; TimeoutError after `timeout` seconds."""
        if not any(map(ready, self.watch(kind, timeout, name, selector))):
            raise TimeoutError(f"waited {timeout:.0f} s for {kind} {name or selector}".rstrip())

    def watch(self, kind: str, seconds: float, name: str = "", selector: str = "") -> Iterator[list[Object]]:
        """Yield the objects that match, now and after each change, for so many seconds."""
        deadline = time.monotonic() + seconds
        selectors = {"label_selector": selector, "field_selector": f"metadata.name={name}" if name else ""}
        while (left := deadline - time.monotonic()) > 0:
            listed, version = self._list(kind, **selectors)
            objects = {one["metadata"]["uid"]: one for one in listed}
            yield list(objects.values())
            for event in self._events(kind, version, left, **selectors):
                changed = event["object"]
                objects[changed["metadata"]["uid"]] = changed
                if event["type"] == "DELETED":
                    del objects[changed["metadata"]["uid"]]
                yield list(objects.values())

    def execute(self, pod: str, *command: str, stdin: str = "") -> str:
        """Run a command in a pod to its end and return what it printed; `stdin` is its standard input."""
        with _explained(f"{command[0]} in pod {pod}"):
            # A connection of its own: `stream` modifies its client.
            core = client.CoreV1Api(self._connect())
            running = stream(
                core.connect_get_namespaced_pod_exec,
                pod,
                self._namespace,
                command=list(command),
                stdin=bool(stdin),
                stdout=True,
                stderr=True,
                tty=False,
                binary=True,
                _preload_content=False,
            )
            try:
                if stdin:
                    running.write_channel(STDIN_CHANNEL, stdin.encode())
                    running.close_channel(STDIN_CHANNEL)
                output = _output(running)
            finally:
                running.close()
        status = json.loads(output[ERROR_CHANNEL] or b'{"message": "the connection was lost"}')
        if status.get("status") != "Success":
            errors = (output[STDERR_CHANNEL] or output[STDOUT_CHANNEL]).decode(errors="replace")
            raise KindError(f"{command[0]} in pod {pod}: {status.get('message')}\n{tail(errors)}")
        return output[STDOUT_CHANNEL].decode()

    def _list(self, kind: str, **selectors: str) -> tuple[list[Object], str]:
        """Return the objects, and the version of the list, from which a watch can start."""
        with _explained(kind):
            found = self._request(kind, "get", **selectors)
        return found["items"], found["metadata"]["resourceVersion"]

    def _events(self, kind: str, version: str, seconds: float, **selectors: str) -> Iterator[Object]:
        """Yield the changes since a version; end early where the watch breaks."""
        with _explained(kind):
            watched = Watch().stream(
                self._resource(kind).get,
                namespace=self._namespace,
                resource_version=version,
                timeout_seconds=max(1, round(seconds)),
                _request_timeout=seconds + _TIMEOUT,
                serialize=False,
                **selectors,
            )
            try:
                yield from watched
            except HTTPError:
                return
            except ApiException as error:
                if error.status != _GONE:
                    raise

    def _request(self, kind: str, verb: str, **options: object) -> Object:
        request = getattr(self._resource(kind), verb)
        found: Object = request(namespace=self._namespace, _request_timeout=_TIMEOUT, **options).to_dict()
        return found

    def _resource(self, kind: str) -> Any:  # noqa: ANN401 the client has no types
        # The client's discovery is not thread-safe.
        with self._discovery:
            return self._client.resources.get(api_version=_VERSIONS.get(kind, "v1"), kind=kind)

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 the client has no types
        # By default the cache is shared by all clusters that ever had this address.
        return dynamic.DynamicClient(self._connect(), cache_file=str(self._kubeconfig.with_name("resources.json")))

    def _connect(self) -> Any:  # noqa: ANN401 the client has no types
        settings = client.Configuration()
        settings.connection_pool_maxsize = _CONNECTIONS
        return config.new_client_from_config(str(self._kubeconfig), client_configuration=settings)


def _output(running: Any) -> dict[int, bytes]:  # noqa: ANN401 the client has no types
    """Return what a command wrote to each channel until it ended."""
    received: dict[int, list[bytes]] = {channel: [] for channel in (STDOUT_CHANNEL, STDERR_CHANNEL, ERROR_CHANNEL)}
    # Frame by frame: the client's own methods append by copying, which takes a minute for 20 MB.
    opcode, frame = running.sock.recv_data_frame(True)
    while opcode != ABNF.OPCODE_CLOSE:
        if opcode == ABNF.OPCODE_BINARY and frame.data[0] in received:
            received[frame.data[0]].append(frame.data[1:])
        opcode, frame = running.sock.recv_data_frame(True)
    return {channel: b"".join(parts) for channel, parts in received.items()}


def _plain(_: object, body: Object) -> Object:
    return body


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn every error of the client into a KindError."""
    try:
        yield
    except DynamicApiError as error:
        raise KindError(f"{what}: {error.summary()}") from error
    except ApiException as error:
        raise KindError(f"{what}: {error.reason}") from error
    except (HTTPError, ResourceNotFoundError, config.ConfigException, WebSocketException) as error:
        raise KindError(f"{what}: {error}") from error
