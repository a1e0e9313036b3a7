"""The stand-ins for the operators: what they create for the resources, and what they refuse."""

import copy
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from testbed.cluster.operators.spark_crds import definition
from testbed.cluster.operators.standins import kafka_network, kafka_pods, spark_application
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


def spec(kafka: dict[str, Any] = KAFKA, pool: dict[str, Any] = POOL) -> Spec:
    return read(kafka, [pool], "4.3.1", "gamelake/kafka:1")


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
        ("listeners", [LISTENER | {"tls": True}]),
        ("listeners", [LISTENER | {"authentication": {"type": "tls"}}]),
        ("authorization", {"type": "custom"}),
        ("rack", {"topologyKey": "zone"}),
        ("config", {"listeners": "PLAINTEXT://:9092"}),
    ],
)
def test_an_unsupported_kafka_is_refused(path: str, value: object) -> None:
    """A Kafka that the stand-in cannot create as specified is refused, never created differently."""
    with pytest.raises(Refused):
        spec(changed(KAFKA, f"spec.kafka.{path}", value))


def test_strimzis_names() -> None:
    """Pods, claims and Services have the names that Strimzi gives them."""
    pods = kafka_pods.stateful_set(spec(), "id")
    assert (pods["metadata"]["name"], pods["spec"]["serviceName"]) == ("events-dual", "events-kafka-brokers")
    assert [claim["metadata"]["name"] for claim in pods["spec"]["volumeClaimTemplates"]] == ["data-0"]
    assert pods["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    service = kafka_network.bootstrap_service(spec())
    assert service["metadata"]["name"] == "events-kafka-bootstrap"
    labels = pods["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert labels["app.kubernetes.io/part-of"] == "gamelake"
    assert "app.kubernetes.io/version" not in labels


def test_kubernetes_accepts_the_objects() -> None:
    """Every object of a cluster, and both pods of a job, match Kubernetes' schemas."""
    objects = [
        (STATEFUL_SETS, kafka_pods.stateful_set(spec(), "id")),
        (CONFIG_MAPS, kafka_pods.config_map(spec())),
        (SERVICES, kafka_network.headless_service(spec())),
        (SERVICES, kafka_network.bootstrap_service(spec())),
        (DISRUPTION_BUDGETS, kafka_network.disruption_budget(spec())),
        (NETWORK_POLICIES, kafka_network.network_policy(spec())),
        (PODS, pod_template(STREAM, "driver")),
        (PODS, pod_template(STREAM, "executor")),
    ]
    for resource, thing in objects:
        typed = {"apiVersion": resource.api_version, "kind": resource.kind, **thing}
        kubernetes_validate.validate(typed, "1.36", strict=True)


def test_a_pools_template_replaces_the_clusters() -> None:
    """As with Strimzi, a pool that has a template ignores its cluster's."""
    assert spec().container["securityContext"] == {"readOnlyRootFilesystem": True}
    assert spec(pool=changed(POOL, "spec.template.pod.securityContext", {"runAsNonRoot": True})).container == {}


def test_the_super_user_has_the_internal_listeners_only() -> None:
    """Clients log in by SCRAM and have their listed rights; their listener rejects the operator's password."""
    lines = dict(line.split("=", 1) for line in properties(spec()).splitlines())
    assert lines["listener.name.sasl-9092.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert lines["listener.name.replication-9091.sasl.enabled.mechanisms"] == "PLAIN"
    assert not [name for name in lines if name.startswith("listener.name.sasl-9092.plain")]
    assert lines["super.users"] == "User:_operator"
    assert "allow.everyone.if.no.acl.found" not in lines
    assert lines["auto.create.topics.enable"] == "false"
    assert lines["controller.quorum.voters"].count("@") == 3


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
