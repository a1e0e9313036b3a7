"""What the kafka chart refuses to change in a live cluster, which it sees through the API server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.charts.rendering import Charts, Object
from tests.unit.testbed.kubernetes_api import KubernetesApi

SEPARATE = {"replicas": 3, "controllers": {"replicas": 3}}
COPIES = {"replicationFactor": 3, "minInsyncReplicas": 2}
OTHER_COPIES = "Replication factor change not supported, but required for partitions [0, 1, 2]"


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[KubernetesApi]:
    with KubernetesApi(kubeconfig) as api:
        yield api


def resource(kind: str, name: str, spec: Object, **status: object) -> Object:
    labels = {"strimzi.io/cluster": "events", "app.kubernetes.io/managed-by": "Helm"}
    release = {"meta.helm.sh/release-name": "gamelake", "meta.helm.sh/release-namespace": "gamelake"}
    metadata = {"name": name, "namespace": "gamelake", "labels": labels, "annotations": release}
    return {"apiVersion": "kafka.strimzi.io/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def pools(**replicas: int) -> list[Object]:
    return [resource("KafkaNodePool", name, {"replicas": count}) for name, count in replicas.items()]


def topic(copies: int, **status: object) -> Object:
    return resource("KafkaTopic", "events", {"replicas": copies, "partitions": 3}, **status)


@pytest.mark.parametrize(
    ("live", "values", "complaint"),
    [
        ({"dual": 1}, {}, ""),
        ({"dual": 1}, {"replicas": 3}, "replicas: the live cluster has 1 controllers, and Kafka cannot have 3"),
        ({"dual": 3}, {"replicas": 1}, "replicas: the live cluster has 3 controllers, and Kafka cannot have 1"),
        ({"dual": 1}, SEPARATE, "has the pools dual, not broker and controller, and nodes keep their roles"),
        ({"broker": 3, "controller": 3}, {}, "has the pools broker and controller, not dual"),
        ({"broker": 3, "controller": 3}, SEPARATE, ""),
        ({"broker": 3, "controller": 1}, SEPARATE, "controllers.replicas: the live cluster has 1 controllers"),
        # Strimzi adds brokers, and removes none that has copies of partitions.
        ({"broker": 2, "controller": 3}, SEPARATE, ""),
        ({"broker": 4, "controller": 3}, SEPARATE, "replicas: the live cluster has 4 brokers; before there are 3"),
    ],
)
def test_nodes_of_a_live_cluster(
    charts: Charts, cluster: KubernetesApi, kubeconfig: Path, live: dict[str, int], values: Object, complaint: str
) -> None:
    """Roles and controllers are what they were, and brokers are at least as many; or the error says what to do."""
    cluster.put(*pools(**live))
    found = charts.live_complaint("kafka", values, kubeconfig)
    assert complaint in found
    assert bool(found) is bool(complaint)
    assert ("docs/operating.md" in found) is bool(complaint)


@pytest.mark.parametrize(
    ("live", "values", "complaint"),
    [
        (topic(1), SEPARATE, ""),
        (topic(1), SEPARATE | COPIES, "replicationFactor: the live topic has 1 copies; make them 3 by hand first"),
        (topic(3), SEPARATE, "replicationFactor: the live topic has 3 copies; make them 1 by hand first"),
        (topic(3), SEPARATE | COPIES, ""),
        # The resource was changed before Kafka had the copies: with two of them required no event would be accepted.
        (
            topic(3, conditions=[{"type": "Ready", "status": "False", "message": OTHER_COPIES}]),
            SEPARATE | COPIES,
            f"minInsyncReplicas: the live topic does not have its 3 copies yet ({OTHER_COPIES})",
        ),
        (topic(1), SEPARATE | {"topic": {"partitions": 2}}, "topic.partitions: the live topic has 3, and Kafka cannot"),
        (topic(1), SEPARATE | {"topic": {"partitions": 6}}, ""),
    ],
)
def test_copies_of_a_live_topic(
    charts: Charts, cluster: KubernetesApi, kubeconfig: Path, live: Object, values: Object, complaint: str
) -> None:
    """The chart asks for as many copies as there are, and never for more in sync."""
    cluster.put(*pools(broker=3, controller=3), live)
    found = charts.live_complaint("kafka", values, kubeconfig)
    assert complaint in found
    assert bool(found) is bool(complaint)


def test_another_clusters_pools_do_not_count(charts: Charts, cluster: KubernetesApi, kubeconfig: Path) -> None:
    """A namespace may have several Kafka clusters."""
    [other] = pools(other=5)
    other["metadata"]["labels"] = {"strimzi.io/cluster": "another"}
    cluster.put(other)
    assert charts.live_complaint("kafka", {}, kubeconfig) == ""
