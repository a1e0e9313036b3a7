"""What `make kind` installs."""

import pytest
from testbed.cluster.cluster import RELEASE
from testbed.cluster.command import KindError
from testbed.waiting import wait_until

from tests.e2e.installation import PATIENCE, Installation, Pod, make

pytestmark = pytest.mark.timeout(3600)  # the first test creates the cluster


def servers(installation: Installation) -> list[Pod]:
    """Return all pods except those of maintenance and of the chart's hook, which come and go."""

    def is_passing(labels: dict[str, str]) -> bool:
        job, name = (labels.get(label, "") for label in ("sparkoperator.k8s.io/app-name", "app.kubernetes.io/name"))
        return job.startswith("maintain") or name == "gamelake-secrets"

    return [pod for pod in installation.pods() if not is_passing(pod.labels)]


def test_every_pod_is_ready(installation: Installation) -> None:
    """Every pod of the namespace is ready, except those of jobs that have succeeded."""

    def all_are_ready() -> bool:
        states = {pod.name: (pod.phase, pod.ready) for pod in servers(installation)}
        print({name: state for name, state in states.items() if state != ("Running", True)})
        expected = {"namenode-0", "datanode-0", "world-store-0", "events-dual-0", "stream-driver"}
        return expected <= states.keys() and set(states.values()) <= {("Running", True), ("Succeeded", False)}

    wait_until("every pod", all_are_ready, PATIENCE, pause=2)


def test_every_part_answers(installation: Installation) -> None:
    """`helm test` queries every part, and all of them answer."""
    output = installation.cluster.helm("test", RELEASE, "--timeout", "10m")
    assert "Failed" not in output


def test_the_namespace_is_restricted(installation: Installation) -> None:
    """Kubernetes admits only restricted pods to the namespace, so all of its pods are restricted."""
    privileged = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged"},
        "spec": {"containers": [{"name": "one", "image": "one", "securityContext": {"privileged": True}}]},
    }
    with pytest.raises(KindError, match='violates PodSecurity "restricted'):
        installation.cluster.api.apply(privileged)


def test_make_kind_again(installation: Installation) -> None:
    """On a cluster that is up to date `make kind` changes nothing: every pod stays the same."""

    def now() -> dict[str, str]:
        # Spark may replace an executor at any time.
        pods = [pod for pod in servers(installation) if pod.labels.get("spark-role") != "executor"]
        return {pod.name: pod.uid for pod in pods}

    before = now()
    output = make("kind")
    assert "images: the node has them" in output
    assert "make kind-demo" in output
    assert now() == before
