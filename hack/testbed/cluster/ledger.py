"""Reads the topic's records inside the cluster: the addresses that brokers advertise cannot be reached from outside."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.audit import audit
from testbed.audit.places import Record
from testbed.audit.records import record
from testbed.audit.stage import Stage
from testbed.cluster import images
from testbed.cluster.api import Object
from testbed.cluster.cluster import Cluster
from testbed.cluster.readiness import all_ready
from testbed.settings import Settings as LocalSettings

_POD = "topic-reader"
_PATIENCE = 420
"""Seconds for the pod to be ready, and to be gone."""
_SCRIPT = Path(__file__).with_name("topic_reader.py")


class PodRecords:
    """The records that a pod in the cluster reads."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def partitions(self) -> list[int]:
        return [int(partition) for partition in self._run("partitions").split()]

    def window(self, partition: int) -> range:
        return range(*map(int, self._run("window", partition).split()))

    def read(self, partition: int, offsets: range) -> Iterator[Record]:
        for line in self._run("read", partition, offsets.start, offsets.stop).splitlines():
            offset, time, key, value = line.split(" ")
            yield record((partition, int(offset)), _content(key), _content(value), int(time))

    def _run(self, *arguments: str | int) -> str:
        return self._cluster.execute(_POD, "python3", "-", *map(str, arguments), stdin=_SCRIPT.read_text())


def _content(text: str) -> bytes | None:
    return None if text == "-" else base64.b64decode(text.removeprefix("="))


@contextmanager
def pod_records(cluster: Cluster) -> Iterator[PodRecords]:
    """Run the pod while the block lasts."""
    cluster.api.apply(_pod())
    try:
        cluster.api.wait("Pod", all_ready, _PATIENCE, name=_POD)
        yield PodRecords(cluster)
    finally:
        cluster.api.delete("Pod", _POD)
        cluster.api.wait("Pod", lambda pods: not pods, _PATIENCE, name=_POD)


def ledger(cluster: Cluster, settings: LocalSettings, wait: float = 60) -> list[Stage]:
    """Compare the players' answers with the topic, the table and its views, through the port-forwards of `settings`."""
    with pod_records(cluster) as kafka:
        return audit.compare(settings, kafka, wait)


def _pod() -> Object:
    """A pod with the image, settings and rights of the jobs, and the name by which network policies select them."""
    container = {
        "name": _POD,
        "image": images.tag("spark"),
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        "envFrom": [{"configMapRef": {"name": "gamelake-jobs"}}],
        "env": [
            {
                "name": "KAFKA_SASL_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": "spark", "key": "password"}},
            }
        ],
        "volumeMounts": [{"name": "ca", "mountPath": "/kafka"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": _POD,
            "labels": {"app.kubernetes.io/name": "spark", "app.kubernetes.io/part-of": "gamelake"},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            # `sleep`, as the container's first process, ignores SIGTERM.
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 185,
                "runAsGroup": 185,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            # As in the jobs' manifests.
            "volumes": [{"name": "ca", "secret": {"secretName": "events-cluster-ca-cert", "optional": True}}],
        },
    }
