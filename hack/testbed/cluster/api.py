"""Objects of the Kubernetes API, through the official client."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from kubernetes import dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import NotFoundError
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from testbed.cluster.connection import connect, explained

Object = dict[str, Any]

_VERSIONS = {
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "Deployment": "apps/v1",
    "Kafka": "kafka.strimzi.io/v1",
    "KafkaNodePool": "kafka.strimzi.io/v1",
    "KafkaTopic": "kafka.strimzi.io/v1",
    "KafkaUser": "kafka.strimzi.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "SparkApplication": "sparkoperator.k8s.io/v1beta2",
    "StatefulSet": "apps/v1",
    "StorageClass": "storage.k8s.io/v1",
}
"""The API version of each kind that is not in the core group."""

_MANAGER = "gamelake"
_TIMEOUT = 30
"""Seconds for a response."""
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
        with explained(f"{kind} {name}"):
            try:
                return self._request(kind, "get", name=name)
            except NotFoundError:
                return None

    def apply(self, thing: Object) -> None:
        """Create or change an object by server-side apply."""
        with explained(f"{thing['kind']} {thing['metadata']['name']}"):
            self._request(thing["kind"], "server_side_apply", body=thing, field_manager=_MANAGER, force_conflicts=True)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object; return before it is gone."""
        with explained(f"{kind} {name}"):
            self._request(kind, "delete", name=name)

    def read(self, path: str) -> Object:
        """Return the JSON at a path of the API server."""
        with explained(path):
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

    def _list(self, kind: str, **selectors: str) -> tuple[list[Object], str]:
        """Return the objects, and the version of the list, from which a watch can start."""
        with explained(kind):
            found = self._request(kind, "get", **selectors)
        return found["items"], found["metadata"]["resourceVersion"]

    def _events(self, kind: str, version: str, seconds: float, **selectors: str) -> Iterator[Object]:
        """Yield the changes since a version; end early where the watch breaks."""
        with explained(kind):
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
        cache = self._kubeconfig.with_name("resources.json")
        return dynamic.DynamicClient(connect(self._kubeconfig), cache_file=str(cache))


def _plain(_: object, body: Object) -> Object:
    return body
