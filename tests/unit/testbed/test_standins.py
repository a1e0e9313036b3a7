"""The stand-ins for the operators: what they create for the resources, and what they refuse."""

import copy
import re
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from testbed.cluster.operators.spark_crds import definition
from testbed.cluster.operators.standins import kafka_certificates, kafka_network, kafka_pods, spark_application
from testbed.cluster.operators.standins.cluster import (
    CONFIG_MAPS,
    DISRUPTION_BUDGETS,
    NETWORK_POLICIES,
    PODS,
    SERVICES,
    STATEFUL_SETS,
)
from testbed.cluster.operators.standins.fields import Refused, refuse_all_but
from testbed.cluster.operators.standins.kafka_config import properties
from testbed.cluster.operators.standins.kafka_spec import Spec, read
from testbed.cluster.operators.standins.schedule import next_time
from testbed.cluster.operators.standins.spark_pods import driver_state, executor_states
from testbed.cluster.operators.standins.spark_submission import arguments, check, pod_template
from testbed.cluster.operators.standins.user import bindings
from testbed.settings import ROOT

STREAM = yaml.safe_load((ROOT / "spark-apps/stream.yaml").read_text())
STREAM["metadata"] |= {"namespace": "game", "uid": "1-2-3"}
LISTENER = {"name": "sasl", "port": 9092, "type": "internal", "tls": False, "authentication": {"type": "scram-sha-512"}}
KAFKA = {
    "metadata": {"name": "events", "namespace": "game", "uid": "1"},
    "spec": {
        "kafka": {
            "version": "4.3.1",
            "listeners": [LISTENER],
            "authorization": {"type": "simple"},
            "config": {"auto.create.topics.enable": False},
            "template": {"kafkaContainer": {"securityContext": {"readOnlyRootFilesystem": True}}},
        }
    },
}
POOL = {
    "metadata": {
        "name": "dual",
        "labels": {"app.kubernetes.io/part-of": "gamelake", "app.kubernetes.io/version": "1"},
    },
    "spec": {
        "replicas": 3,
        "roles": ["controller", "broker"],
        "storage": {"type": "jbod", "volumes": [{"id": 0, "type": "persistent-claim", "size": "1Gi"}]},
    },
}


ENCRYPTED = LISTENER | {"name": "tls", "port": 9093, "tls": True}


def spec(kafka: dict[str, Any] = KAFKA, *pools: dict[str, Any]) -> Spec:
    return read(kafka, list(pools or [POOL]), "4.3.1", "gamelake/kafka:1")


def separate() -> Spec:
    """Brokers and controllers on nodes of their own, in racks, with a listener that has TLS."""
    kafka = changed(KAFKA, "spec.kafka.listeners", [LISTENER, ENCRYPTED])
    kafka = changed(kafka, "spec.kafka.rack", {"topologyKey": "topology.kubernetes.io/zone"})
    return spec(kafka, pool("broker", "[0-99]"), pool("controller", "[100-199]"))


def pool(role: str, ids: str) -> dict[str, Any]:
    one = changed(POOL, "metadata.annotations", {"strimzi.io/next-node-ids": ids})
    return changed(changed(one, "metadata.name", role), "spec.roles", [role])


def lines(of: Spec, number: int = 0) -> dict[str, str]:
    """The properties of a pool's nodes."""
    return dict(line.split("=", 1) for line in properties(of, of.pools[number]).splitlines())


def changed(thing: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    thing = copy.deepcopy(thing)
    *folders, last = path.split(".")
    inner = thing
    for folder in folders:
        inner = inner[int(folder)] if isinstance(inner, list) else inner.setdefault(folder, {})
    inner[last] = value
    return thing


def test_an_unknown_field_is_refused_by_name() -> None:
    """An unsupported field is named with its path, in lists, too; everything below a supported field is allowed."""
    refuse_all_but(["a.b", "c"], {"a": [{"b": {"any": 1}}], "c": 1})
    with pytest.raises(Refused, match=r"spec\.a\.x, spec\.d"):
        refuse_all_but(["a.b", "c"], {"a": [{"b": 1}, {"x": 1}], "d": {}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", "4.2.0"),
        ("metadataVersion", "4.2-IV1"),
        ("listeners", [LISTENER, LISTENER | {"port": 9093}]),
        ("listeners", [LISTENER, ENCRYPTED | {"port": 9092}]),
        ("listeners", [LISTENER | {"port": 9091}]),
        ("listeners", [LISTENER | {"authentication": {"type": "tls"}}]),
        ("authorization", {"type": "custom"}),
        ("rack", {"topologyKey": "shelf"}),
        ("config", {"listeners": "PLAINTEXT://:9092"}),
    ],
)
def test_an_unsupported_kafka_is_refused(path: str, value: object) -> None:
    """A Kafka that the stand-in cannot create as specified is refused, never created differently."""
    with pytest.raises(Refused):
        spec(changed(KAFKA, f"spec.kafka.{path}", value))


@pytest.mark.parametrize(
    ("pools", "error"),
    [
        ([changed(POOL, "spec.roles", ["broker"])], "At least one KafkaNodePool with the controller role"),
        ([changed(POOL, "spec.replicas", 2)], "2 controllers: their number must be odd"),
        ([POOL, changed(POOL, "metadata.name", "other")], "6 controllers"),
        ([pool("broker", "[0-99]"), pool("controller", "[2-9]")], "ranges that do not overlap"),
        ([pool("broker", "next")], "expected a list of numbers or ranges, got 'next'"),
        ([changed(POOL, "spec.storage.volumes.0.type", "ephemeral")], "of type persistent-claim only"),
    ],
)
def test_unsupported_pools_are_refused(pools: list[dict[str, Any]], error: str) -> None:
    """Pools that the stand-in cannot create as specified are refused."""
    with pytest.raises(Refused, match=re.escape(error)):
        spec(KAFKA, *pools)


def test_strimzis_names() -> None:
    """Pods, claims and Services have the names that Strimzi gives them."""
    pods = kafka_pods.stateful_set(spec(), spec().pools[0], "id")
    assert (pods["metadata"]["name"], pods["spec"]["serviceName"]) == ("events-dual", "events-kafka-brokers")
    assert [claim["metadata"]["name"] for claim in pods["spec"]["volumeClaimTemplates"]] == ["data-0"]
    assert pods["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    service = kafka_network.bootstrap_service(spec())
    assert service["metadata"]["name"] == "events-kafka-bootstrap"
    labels = pods["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_roles_of_pools() -> None:
    """Controllers have numbers and volumes of their own, vote, and serve no client; brokers do not vote."""
    both = separate()
    brokers, controllers = (kafka_pods.stateful_set(both, one, "id") for one in both.pools)
    assert (brokers["spec"]["ordinals"], controllers["spec"]["ordinals"]) == ({"start": 0}, {"start": 100})
    selector = kafka_network.bootstrap_service(both)["spec"]["selector"]
    assert selector.items() <= brokers["spec"]["template"]["metadata"]["labels"].items()
    assert not selector.items() <= controllers["spec"]["template"]["metadata"]["labels"].items()
    of_broker, of_controller = lines(both, 0), lines(both, 1)
    assert (of_broker["process.roles"], of_controller["process.roles"]) == ("broker", "controller")
    assert of_broker["controller.quorum.voters"] == of_controller["controller.quorum.voters"]
    host = "events-kafka-brokers.game.svc.cluster.local:9090"
    voters = [f"{number}@events-controller-{number}.{host}" for number in (100, 101, 102)]
    assert of_broker["controller.quorum.voters"].split(",") == voters
    assert of_controller["listeners"] == "CONTROLPLANE-9090://0.0.0.0:9090"
    assert "CONTROLPLANE" not in of_broker["listeners"]
    assert "inter.broker.listener.name" not in of_controller


def test_racks() -> None:
    """Brokers know their rack from the machine's label, and run only on machines that have it."""
    both = separate()
    brokers, controllers = (kafka_pods.stateful_set(both, one, "id")["spec"]["template"]["spec"] for one in both.pools)
    [container] = brokers["containers"]
    source = {"fieldRef": {"fieldPath": "metadata.labels['topology.kubernetes.io/zone']"}}
    assert {"name": "RACK", "valueFrom": source} in container["env"]
    assert lines(both)["broker.rack"] == "${env:RACK}"
    assert "topology.kubernetes.io/zone" in str(brokers["affinity"]["nodeAffinity"])
    assert "affinity" not in controllers
    assert "broker.rack" not in lines(both, 1)


def test_the_brokers_certificate(tmp_path: Path) -> None:
    """The authority, which is all that clients trust, has signed the brokers' certificate for their names."""
    both = separate()
    authority, pem = kafka_certificates.issue(both)
    (tmp_path / "ca.crt").write_text(authority)
    (tmp_path / "tls.pem").write_text(pem)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "tls.pem")
    client = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    for name in ("events-kafka-bootstrap", "events-broker-0.events-kafka-brokers.game.svc"):
        assert _shakes_hands(client, server, name) == ""
    assert "Hostname mismatch" in _shakes_hands(client, server, "events-kafka-bootstrap.other")
    assert lines(both)["listener.name.tls-9093.ssl.keystore.location"] == "/etc/kafka-certificate/tls.pem"
    assert "TLS-9093:SASL_SSL" in lines(both)["listener.security.protocol.map"]
    assert "SASL-9092:SASL_PLAINTEXT" in lines(both)["listener.security.protocol.map"]


def _shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> str:
    """Return the client's error as it connects to a server by a name, without a network."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    try:
        for end in ends * 3:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return str(error)
    return ""


def test_kubernetes_accepts_the_objects() -> None:
    """Every object of a cluster, and both pods of a job, match Kubernetes' schemas."""
    both = separate()
    objects = [
        *((STATEFUL_SETS, kafka_pods.stateful_set(both, one, "id", "digest")) for one in both.pools),
        (STATEFUL_SETS, kafka_pods.stateful_set(spec(), spec().pools[0], "id")),
        (CONFIG_MAPS, kafka_pods.config_map(both)),
        (SERVICES, kafka_network.headless_service(both)),
        (SERVICES, kafka_network.bootstrap_service(both)),
        (DISRUPTION_BUDGETS, kafka_network.disruption_budget(both)),
        (NETWORK_POLICIES, kafka_network.network_policy(both)),
        (PODS, pod_template(STREAM, "driver")),
        (PODS, pod_template(STREAM, "executor")),
    ]
    for resource, thing in objects:
        typed = {"apiVersion": resource.api_version, "kind": resource.kind, **thing}
        kubernetes_validate.validate(typed, "1.36", strict=True)


def test_a_pools_template_replaces_the_clusters() -> None:
    """As with Strimzi, a pool that has a template ignores its cluster's."""
    assert spec().pools[0].container["securityContext"] == {"readOnlyRootFilesystem": True}
    own = changed(POOL, "spec.template.pod.securityContext", {"runAsNonRoot": True})
    assert spec(KAFKA, own).pools[0].container == {}


def test_the_super_user_has_the_internal_listeners_only() -> None:
    """Clients log in by SCRAM and have their listed rights; their listener rejects the operator's password."""
    of_node = lines(spec())
    assert of_node["listener.name.sasl-9092.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert of_node["listener.name.replication-9091.sasl.enabled.mechanisms"] == "PLAIN"
    assert not [name for name in of_node if name.startswith("listener.name.sasl-9092.plain")]
    assert of_node["super.users"] == "User:_operator"
    assert "allow.everyone.if.no.acl.found" not in of_node
    assert of_node["auto.create.topics.enable"] == "false"
    assert of_node["controller.quorum.voters"].count("@") == 3


def test_a_right_is_one_binding_for_each_operation() -> None:
    """The listed rights become exactly their bindings."""
    acl = {
        "resource": {"type": "group", "name": "g-", "patternType": "prefix"},
        "operations": ["Read", "DescribeConfigs"],
    }
    created = {(one.operation.name, one.resource_pattern_type.name, one.principal) for one in bindings("spark", [acl])}
    assert created == {("READ", "PREFIXED", "User:spark"), ("DESCRIBE_CONFIGS", "PREFIXED", "User:spark")}


def test_spark_gets_the_manifests_fields() -> None:
    """Fields for which Spark has a setting become that setting; the others become the pod template."""
    command = arguments(STREAM, "id", {"driver": Path("/d"), "executor": Path("/e")})
    settings = dict(one.split("=", 1) for flag, one in pairwise(command) if flag == "--conf")
    assert command[-1] == STREAM["spec"]["mainApplicationFile"]
    assert settings["spark.driver.memoryOverhead"] == "512m"
    assert settings["spark.kubernetes.driver.request.cores"] == "100m"
    assert settings["spark.kubernetes.driver.pod.name"] == "stream-driver"
    assert settings["spark.kubernetes.authenticate.driver.serviceAccountName"] == "spark"
    assert settings["spark.kubernetes.executor.label.sparkoperator.k8s.io/submission-id"] == "id"
    assert settings["spark.kubernetes.driver.annotation.prometheus.io/port"] == "9108"
    driver = pod_template(STREAM, "driver")
    [container] = driver["spec"]["containers"]
    found = {"name": "HADOOP_CONF_DIR", "value": "/etc/hadoop/conf"}
    assert container["env"] == [*STREAM["spec"]["driver"]["env"], found]
    assert driver["spec"]["volumes"][-1]["configMap"] == {"name": "hdfs-client"}
    assert driver["spec"]["terminationGracePeriodSeconds"] == 60
    assert driver["metadata"]["ownerReferences"][0]["uid"] == "1-2-3"
    assert pod_template(STREAM, "executor")["spec"]["containers"][0]["env"] == [found]


@pytest.mark.parametrize("file", ["stream", "batch", "tables", "maintain"])
def test_the_jobs_are_supported(file: str) -> None:
    """The stand-in supports the manifests of spark-apps unchanged."""
    job = yaml.safe_load((ROOT / f"spark-apps/{file}.yaml").read_text())
    check({"spec": job["spec"].get("template", job["spec"])})


def test_an_unsupported_application_is_refused() -> None:
    """A field that the stand-in would ignore is an error."""
    with pytest.raises(Refused, match=r"spec\.dynamicAllocation"):
        check(changed(STREAM, "spec.dynamicAllocation.enabled", True))


@pytest.mark.parametrize(
    ("policy", "state", "attempts", "again"),
    [
        ({"type": "Always"}, "FAILING", 99, True),
        ({"type": "Always"}, "SUCCEEDING", 1, True),
        ({"type": "OnFailure", "onFailureRetries": 3}, "FAILING", 3, True),
        ({"type": "OnFailure", "onFailureRetries": 3}, "FAILING", 4, False),
        ({"type": "OnFailure", "onFailureRetries": 3}, "SUCCEEDING", 1, False),
        ({"type": "OnFailure", "onSubmissionFailureRetries": 1}, "SUBMISSION_FAILED", 2, False),
        ({"type": "Never"}, "FAILING", 1, False),
        ({}, "FAILING", 1, False),
    ],
)
def test_an_application_restarts_by_its_policy(policy: dict[str, Any], state: str, attempts: int, again: bool) -> None:
    """It restarts always, or after a limited number of failures, or never."""
    status = {"applicationState": {"state": state}, "executionAttempts": attempts, "submissionAttempts": attempts}
    assert spark_application._may_retry({"spec": {"restartPolicy": policy}}, status) is again


def test_the_drivers_container_decides_the_state() -> None:
    """A container that has ended counts even while its pod is still running."""
    ended = {"name": "spark-kubernetes-driver", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    assert driver_state({"status": {"phase": "Running", "containerStatuses": [ended]}}) == "FAILING"
    assert driver_state({"status": {"phase": "Running"}}) == "RUNNING"
    assert driver_state({"status": {"phase": "Succeeded"}}) == "SUCCEEDING"


def test_executors_whose_pods_are_gone() -> None:
    """An executor whose pod is gone has succeeded only if its application has."""
    assert executor_states([], {"e-1": "RUNNING"}, "COMPLETED") == {"e-1": "COMPLETED"}
    assert executor_states([], {"e-1": "RUNNING"}, "FAILING") == {"e-1": "FAILED"}


def test_a_schedule_has_a_next_time() -> None:
    """The next time is after now, and in UTC."""
    now = datetime(2026, 1, 1, 12, 15, 0, tzinfo=UTC)
    assert next_time({"schedule": "*/15 * * * *"}, now) == datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        next_time({"schedule": "* * * * *", "timeZone": "Europe/Paris"}, now)


@pytest.mark.parametrize("kind", ["SparkApplication", "ScheduledSparkApplication"])
def test_sparks_definitions_are_structural(kind: str) -> None:
    """The schema has no references and no alternatives, and every field has a type."""
    text = str(definition(kind))
    assert not re.search(r"\$ref|anyOf|\$defs", text)
    assert text.count("{}") == len(["the subresource status"])
