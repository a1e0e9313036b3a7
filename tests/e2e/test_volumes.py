"""Data that survives the release, and its deletion."""

import pytest
from testbed.cluster import jobs
from testbed.cluster.cluster import RELEASE, Cluster

from tests.e2e.installation import Installation, make
from tests.e2e.traffic import traffic

pytestmark = pytest.mark.timeout(3600)


def uninstall(cluster: Cluster) -> None:
    for job in ("stream", "maintain", "tables"):
        jobs.delete(cluster, job)
    cluster.helm("uninstall", RELEASE, "--wait")


def test_uninstall_and_install_again(installation: Installation) -> None:
    """After `helm uninstall` and `make kind` every row still exists, and new ones arrive."""
    with traffic(installation):
        installation.await_fresh_row()
    before = installation.count()
    uninstall(installation.cluster)

    make("kind")
    installation.await_fresh_row()
    assert installation.count() > before
    assert installation.differences() == {}


def test_everything_is_deleted(installation: Installation) -> None:
    """By the commands of docs/operating.md: topics and users, the cluster, all claims, and the namespace."""
    cluster = installation.cluster
    uninstall(cluster)
    for resources in ("kafkatopics,kafkausers", "kafka,kafkanodepools"):
        cluster.kubectl("delete", resources, "--all", "--timeout=10m")
    for selector in ("app.kubernetes.io/part-of=gamelake", "strimzi.io/cluster=events"):
        cluster.kubectl("delete", "pvc,secret", "--selector", selector, "--timeout=10m")
    assert cluster.api.find("PersistentVolumeClaim") + cluster.api.find("Secret") == []
    cluster.kubectl("delete", "namespace", cluster.namespace, "--timeout=10m")
