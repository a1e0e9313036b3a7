"""What `make kind` leaves behind."""

import json

import pytest
from testbed.cluster.cluster import RELEASE
from testbed.cluster.command import KindError

from tests.e2e.installation import Installation, Pod, make

pytestmark = pytest.mark.timeout(3600)  # the first of the tests makes the cluster


def servers(installation: Installation) -> list[Pod]:
    """All pods but those of maintenance, which come and go."""
    app = "sparkoperator.k8s.io/app-name"
    return [pod for pod in installation.pods() if not pod.labels.get(app, "").startswith("maintain")]


def test_every_pod_is_ready(installation: Installation) -> None:
    """Every pod of the namespace is ready, but those of jobs that have ended well."""
    states = {pod.name: (pod.phase, pod.ready) for pod in servers(installation)}
    assert {"namenode-0", "datanode-0", "world-store-0", "events-dual-0", "stream-driver"} <= states.keys()
    assert set(states.values()) <= {("Running", True), ("Succeeded", False)}, states


def test_every_part_answers(installation: Installation) -> None:
    """`helm test` asks every part something, and all of them answer."""
    said = installation.cluster.helm("test", RELEASE, "--timeout", "10m")
    assert "Failed" not in said


def test_the_namespace_is_restricted(installation: Installation) -> None:
    """Kubernetes lets no pod into the namespace that is not restricted: so all that are there are."""
    privileged = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged"},
        "spec": {"containers": [{"name": "one", "image": "one", "securityContext": {"privileged": True}}]},
    }
    with pytest.raises(KindError, match='violates PodSecurity "restricted'):
        installation.cluster.kubectl("create", "--dry-run=server", "--filename", "-", given=json.dumps(privileged))


def test_make_kind_again(installation: Installation) -> None:
    """Where all is as it should be, `make kind` changes nothing: every pod stays the same."""

    def now() -> dict[str, str]:
        return {pod.name: pod.uid for pod in servers(installation)}

    before = now()
    said = make("kind")
    assert "images: the node has them" in said
    assert "make kind-demo" in said
    assert now() == before
