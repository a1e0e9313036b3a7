"""The stand-ins behave as the real operators: a test for each row of operators/README.md that needs no broker.

The rows that need one are in tests/local/test_conformance.py.
"""

import ast
import copy
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.cluster.operators.standins import cluster, kafka
from testbed.cluster.operators.standins.fields import Refused
from testbed.cluster.operators.standins.kafka_network import disruption_budget, network_policy
from testbed.cluster.operators.standins.settings import settings
from testbed.cluster.operators.standins.spark_pods import driver_state
from testbed.cluster.operators.standins.user import secret_labels
from testbed.settings import ROOT

from tests.unit.testbed.object_store import ObjectStore
from tests.unit.testbed.test_standins import ENCRYPTED, KAFKA, LISTENER, POOL, changed, pool, spec

KAFKAS = "/apis/kafka.strimzi.io/v1/namespaces/game/kafkas/events"
POOLS = "/apis/kafka.strimzi.io/v1/namespaces/game/kafkanodepools"
SETS = "/apis/apps/v1/namespaces/game/statefulsets"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ObjectStore]:
    (tmp_path / "token").write_text("token")
    monkeypatch.setenv("KAFKA_IMAGE", "gamelake/kafka:1")
    monkeypatch.setenv("KAFKA_VERSION", "4.3.1")
    settings.cache_clear()
    with ObjectStore() as server:
        monkeypatch.setattr(cluster, "_SERVER", server.url)
        monkeypatch.setattr(cluster, "_ACCOUNT", tmp_path)
        yield server
    settings.cache_clear()


def reconciled(store: ObjectStore, *pools: dict[str, Any], kafka_resource: dict[str, Any] = KAFKA) -> dict[str, Any]:
    """Let the stand-in reconcile the cluster once, and return the Kafka resource's status."""
    one = store.put(KAFKAS, copy.deepcopy(kafka_resource))
    one["metadata"]["namespace"] = "game"
    for each in pools or [POOL]:
        labels = {"strimzi.io/cluster": "events"}
        body = changed(each, "metadata.labels", labels)
        body["metadata"]["namespace"] = "game"
        store.put(f"{POOLS}/{each['metadata']['name']}", body)
    kafka.reconcile(one)
    return dict(store.objects[KAFKAS]["status"])


def conditions(status: dict[str, Any]) -> list[str]:
    return [one["type"] for one in status["conditions"]]


def test_a_new_cluster_is_not_ready(store: ObjectStore) -> None:
    """Until its first nodes are ready a cluster is NotReady."""
    status = reconciled(store)
    assert conditions(status) == ["NotReady"]
    assert store.kind("statefulsets")["events-dual"]["spec"]["replicas"] == 3


def test_a_cluster_stays_ready_through_a_roll(store: ObjectStore) -> None:
    """A changed pool neither makes the Kafka resource NotReady nor changes its generation."""
    reconciled(store)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "then"}
    store.objects[KAFKAS]["status"] |= {"conditions": [ready], "observedGeneration": 1}
    status = reconciled(store, changed(POOL, "spec.jvmOptions", {"-Xmx": "1g"}))
    assert (status["conditions"], status["observedGeneration"]) == ([ready], 1)
    assert store.objects[f"{POOLS}/dual"]["status"]["observedGeneration"] == 2
    assert store.objects[f"{SETS}/events-dual"]["metadata"]["generation"] == 2


def test_certificates_are_kept(store: ObjectStore) -> None:
    """A cluster with TLS gets certificates once; both Secrets are made again if one is missing."""
    encrypted = changed(KAFKA, "spec.kafka.listeners", [LISTENER, ENCRYPTED])
    reconciled(store, kafka_resource=encrypted)
    authority = store.kind("secrets")["events-cluster-ca-cert"]["data"]
    assert b64decode(authority["ca.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")
    reconciled(store, kafka_resource=encrypted)
    assert store.kind("secrets")["events-cluster-ca-cert"]["data"] == authority
    before = store.kind("statefulsets")["events-dual"]["spec"]["template"]["metadata"]["annotations"]
    del store.objects["/api/v1/namespaces/game/secrets/events-cluster-ca-cert"]
    reconciled(store, kafka_resource=encrypted)
    assert store.kind("secrets")["events-cluster-ca-cert"]["data"] != authority
    after = store.kind("statefulsets")["events-dual"]["spec"]["template"]["metadata"]["annotations"]
    assert after["strimzi.io/server-cert-hash"] != before["strimzi.io/server-cert-hash"]


def test_controllers_are_scaled(store: ObjectStore) -> None:
    """Another number of controllers is not refused, although Kafka does not support it: the chart refuses it."""
    controllers = pool("controller", "[100-199]")
    reconciled(store, pool("broker", "[0-99]"), changed(controllers, "spec.replicas", 1))
    reconciled(store, pool("broker", "[0-99]"), controllers)
    assert store.objects[f"{SETS}/events-controller"]["spec"]["replicas"] == 3


def test_labels_of_pods(store: ObjectStore) -> None:
    """Pods have Strimzi's values for all labels of app.kubernetes.io, whatever the pool has, and the pool's others."""
    own = {"app.kubernetes.io/part-of": "gamelake", "app.kubernetes.io/version": "1", "team": "game"}
    [found] = spec(KAFKA, changed(POOL, "metadata.labels", own)).pools
    assert {name: value for name, value in found.labels.items() if name.startswith("app.kubernetes.io/")} == {
        "app.kubernetes.io/name": "kafka",
        "app.kubernetes.io/instance": "events",
        "app.kubernetes.io/part-of": "strimzi-events",
        "app.kubernetes.io/managed-by": "strimzi-cluster-operator",
    }
    assert found.labels["team"] == "game"


def test_labels_of_a_users_secret() -> None:
    """The same holds for the Secret of a user."""
    own = {"strimzi.io/cluster": "events", "app.kubernetes.io/part-of": "gamelake", "app.kubernetes.io/name": "kafka"}
    found = secret_labels({"metadata": {"name": "api", "labels": own}})
    assert found["app.kubernetes.io/part-of"] == "strimzi-api"
    assert found["app.kubernetes.io/name"] == "strimzi-user-operator"
    assert found["strimzi.io/cluster"] == "events"


def test_the_budget_of_a_cluster() -> None:
    """All pools have one disruption budget: one pod may be evicted, or as many as the template says."""
    pools = pool("broker", "[0-99]"), pool("controller", "[100-199]")
    more = changed(KAFKA, "spec.kafka.template.podDisruptionBudget", {"maxUnavailable": 2})
    budgets = [disruption_budget(spec(one, *pools))["spec"] for one in (KAFKA, more)]
    assert [budget["minAvailable"] for budget in budgets] == [5, 4]
    assert "strimzi.io/pool-name" not in budgets[0]["selector"]["matchLabels"]


def test_the_policy_of_a_cluster() -> None:
    """Strimzi's operators, and nobody else but the nodes, reach the ports that no listener has."""
    rules = [rule for rule in network_policy(spec())["spec"]["ingress"] if "from" in rule]
    peers = {
        rule["ports"][0]["port"]: {list(one["podSelector"]["matchLabels"].values())[-1] for one in rule["from"]}
        for rule in rules
    }
    assert peers == {
        9090: {"cluster-operator", "events-kafka"},
        9091: {"cluster-operator", "events-kafka", "events-entity-operator"},
        8443: {"cluster-operator"},
    }


def test_a_driver_of_a_lost_machine() -> None:
    """It runs until its pod has gone, whatever the pod's conditions are, and that it is being deleted."""
    silent = {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}
    assert driver_state({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": silent}) == "RUNNING"


def test_a_pool_has_its_own_template() -> None:
    """A pool's template replaces the cluster's; they are not merged."""
    kafka_resource = changed(KAFKA, "spec.kafka.template.pod", {"priorityClassName": "high"})
    own = changed(POOL, "spec.template.pod.metadata.annotations", {"a": "b"})
    assert spec(kafka_resource).pools[0].pod == {"priorityClassName": "high"}
    assert spec(kafka_resource, own).pools[0].pod == {"metadata": {"annotations": {"a": "b"}}}


def test_ports_of_listeners() -> None:
    """Ports below 9092, and those of Strimzi's metrics and JMX, are refused."""
    for port in (9091, 9404, 9999):
        with pytest.raises(Refused, match=f"port {port} is forbidden"):
            spec(changed(KAFKA, "spec.kafka.listeners", [LISTENER | {"port": port}]))


def test_properties_of_strimzi() -> None:
    """Properties that Strimzi sets itself are refused, where Strimzi ignores them with a warning."""
    with pytest.raises(Refused, match=r"must not set the operator's own properties: broker\.rack"):
        spec(changed(KAFKA, "spec.kafka.config", {"broker.rack": "a"}))


def test_nodes_are_numbered_by_their_pool() -> None:
    """A pool's nodes have the numbers of its annotation, and their pods the pool's name."""
    broker, controller = spec(KAFKA, pool("broker", "[0-99]"), pool("controller", "[100-199]")).pools
    assert (broker.nodes, list(broker.ids)) == ("events-broker", [0, 1, 2])
    assert (controller.nodes, list(controller.ids)) == ("events-controller", [100, 101, 102])


def test_every_row_has_a_test() -> None:
    """Each row of the list names a test, and each test here is in a row."""
    rows = re.findall(
        r"`(test_\w+)` \|$", (ROOT / "hack/testbed/cluster/operators/README.md").read_text(), re.MULTILINE
    )
    there = {
        node.name
        for file in (Path(__file__), ROOT / "tests/local/test_conformance.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert sorted(rows) == sorted(there - {"test_every_row_has_a_test"})
