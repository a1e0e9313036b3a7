"""The topic's records, read inside the cluster: what brokers say of their addresses is of no use outside."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testbed.audit import audit
from testbed.audit.places import Record
from testbed.audit.records import record
from testbed.audit.stage import Stage
from testbed.cluster import images
from testbed.cluster.cluster import Cluster
from testbed.settings import Settings as LocalSettings

_POD = "topic-reader"
_SCRIPT = Path(__file__).with_name("topic_reader.py")


class PodRecords:
    """What a pod in the cluster reads."""

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
        command = ["exec", "--stdin", _POD, "--", "python3", "-", *map(str, arguments)]
        return self._cluster.kubectl(*command, given=_SCRIPT.read_text())


def _content(text: str) -> bytes | None:
    return None if text == "-" else base64.b64decode(text.removeprefix("="))


@contextmanager
def pod_records(cluster: Cluster) -> Iterator[PodRecords]:
    """Have such a pod meanwhile."""
    cluster.apply(_pod())
    try:
        cluster.kubectl("wait", "--for=condition=Ready", f"pod/{_POD}", "--timeout=2m")
        yield PodRecords(cluster)
    finally:
        cluster.kubectl("delete", "pod", _POD)


def ledger(cluster: Cluster, settings: LocalSettings, wait: float = 60) -> list[Stage]:
    """Compare what players were told with the topic, the table and its views; `settings` are of the ways in."""
    with pod_records(cluster) as kafka:
        return audit.compare(settings, kafka, wait)


def _pod() -> dict[str, Any]:
    """As the jobs' pods are: the same image, settings, rights and name, by which the network policies know it."""
    container = {
        "name": _POD,
        "image": f"gamelake/spark:{images.version()}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        "envFrom": [{"configMapRef": {"name": "gamelake-jobs"}}],
        "env": [
            {
                "name": "KAFKA_SASL_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": "spark", "key": "password"}},
            }
        ],
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
            # `sleep`, alone in its container, would not hear that it should end.
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 185,
                "runAsGroup": 185,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }
