"""The Services of a Kafka cluster, and who may connect to it."""

from testbed.cluster.operators.standins.cluster import Object
from testbed.cluster.operators.standins.kafka_config import CONTROL_PORT, REPLICATION_PORT
from testbed.cluster.operators.standins.kafka_spec import CLUSTER, Spec


def headless_service(spec: Spec) -> Object:
    ports = {"tcp-ctrlplane": CONTROL_PORT, "tcp-replication": REPLICATION_PORT, f"tcp-{spec.listener}": spec.port}
    # Controllers connect to each other before any of them is ready.
    return _service(spec, spec.brokers, ports, {"clusterIP": "None", "publishNotReadyAddresses": True})


def bootstrap_service(spec: Spec) -> Object:
    return _service(spec, spec.bootstrap, {"tcp-replication": REPLICATION_PORT, f"tcp-{spec.listener}": spec.port}, {})


def _service(spec: Spec, name: str, ports: dict[str, int], more: Object) -> Object:
    return {
        "metadata": {"name": name, "labels": spec.labels},
        "spec": {
            "selector": spec.selector,
            "ports": [{"name": name, "port": port, "targetPort": port} for name, port in ports.items()],
            **more,
        },
    }


def disruption_budget(spec: Spec) -> Object:
    return {
        "metadata": {"name": f"{spec.cluster}-kafka", "labels": spec.labels},
        "spec": {"minAvailable": max(0, spec.replicas - 1), "selector": {"matchLabels": spec.selector}},
    }


def network_policy(spec: Spec) -> Object:
    own = {"podSelector": {"matchLabels": spec.selector}}
    operator = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"strimzi.io/kind": "cluster-operator"}},
    }
    entity_operator = {
        "podSelector": {"matchLabels": {CLUSTER: spec.cluster, "strimzi.io/name": f"{spec.cluster}-entity-operator"}}
    }
    clients = {"from": spec.peers} if spec.peers else {}
    return {
        "metadata": {"name": f"{spec.cluster}-network-policy-kafka", "labels": spec.labels},
        "spec": {
            "podSelector": {"matchLabels": spec.selector},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"ports": [{"port": CONTROL_PORT}], "from": [own]},
                {"ports": [{"port": REPLICATION_PORT}], "from": [operator, entity_operator, own]},
                {"ports": [{"port": spec.port}], **clients},
            ],
        },
    }
