"""What outlives the release."""

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
    """After `helm uninstall` and `make kind` every row is there, and new ones come."""
    with traffic(installation):
        installation.await_fresh_row()
    before = installation.count()
    uninstall(installation.cluster)

    make("kind")
    installation.await_fresh_row()
    assert installation.count() > before
    assert installation.differences() == {}


def test_everything_is_deleted(installation: Installation) -> None:
    """As docs/operating.md has it: topics and users, then the cluster, then all claims; and the namespace goes too."""
    cluster = installation.cluster
    uninstall(cluster)
    for resources in ("kafkatopics,kafkausers", "kafka,kafkanodepools"):
        cluster.kubectl("delete", resources, "--all", "--timeout=2m")
    for selector in ("app.kubernetes.io/part-of=gamelake", "strimzi.io/cluster=events"):
        cluster.kubectl("delete", "pvc,secret", "--selector", selector, "--timeout=2m")
    assert cluster.kubectl("get", "pvc,secret", "--output", "name") == ""
    cluster.kubectl("delete", "namespace", cluster.namespace, "--timeout=3m")
