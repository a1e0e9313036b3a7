"""The Services of a Kafka cluster, and who may connect to it."""

from testbed.cluster.operators.standins.cluster import Object
from testbed.cluster.operators.standins.kafka_config import CONTROL_PORT, REPLICATION_PORT
from testbed.cluster.operators.standins.kafka_spec import Spec
from testbed.cluster.operators.standins.node_pool import CLUSTER

_AGENT_PORT = 8443
"""Of Strimzi's agent in each broker, which the stand-in's do not have."""


def headless_service(spec: Spec) -> Object:
    # Controllers connect to each other before any of them is ready.
    more = {"clusterIP": "None", "publishNotReadyAddresses": True}
    return _service(spec, spec.brokers, {"tcp-ctrlplane": CONTROL_PORT} | _broker_ports(spec), spec.selector, more)


def bootstrap_service(spec: Spec) -> Object:
    return _service(spec, spec.bootstrap, _broker_ports(spec), spec.broker_selector, {})


def _broker_ports(spec: Spec) -> dict[str, int]:
    return {"tcp-replication": REPLICATION_PORT} | {f"tcp-{one.name}": one.port for one in spec.listeners}


def _service(spec: Spec, name: str, ports: dict[str, int], selector: dict[str, str], more: Object) -> Object:
    return {
        "metadata": {"name": name, "labels": spec.labels},
        "spec": {
            "selector": selector,
            "ports": [{"name": name, "port": port, "targetPort": port} for name, port in ports.items()],
            **more,
        },
    }


def disruption_budget(spec: Spec) -> Object:
    return {
        "metadata": {"name": f"{spec.cluster}-kafka", "labels": spec.labels},
        "spec": {"minAvailable": max(0, spec.replicas - spec.evictable), "selector": {"matchLabels": spec.selector}},
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
    return {
        "metadata": {"name": f"{spec.cluster}-network-policy-kafka", "labels": spec.labels},
        "spec": {
            "podSelector": {"matchLabels": spec.selector},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"ports": [{"port": CONTROL_PORT}], "from": [operator, own]},
                {"ports": [{"port": REPLICATION_PORT}], "from": [operator, entity_operator, own]},
                {"ports": [{"port": _AGENT_PORT}], "from": [operator]},
                *(
                    {"ports": [{"port": one.port}], **({"from": one.peers} if one.peers else {})}
                    for one in spec.listeners
                ),
            ],
        },
    }
