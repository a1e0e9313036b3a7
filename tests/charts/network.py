"""Which connections network policies allow between the pods of an installation, those of the operators included."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from testbed.cluster.operators.standins.kafka_network import network_policy
from testbed.cluster.operators.standins.kafka_pods import stateful_set
from testbed.cluster.operators.standins.kafka_spec import Spec, read

from tests.charts.rendering import NAMESPACE, Object, application, jobs, of, pods

NAME = "app.kubernetes.io/name"


class Pod(NamedTuple):
    """A pod, as policies select it."""

    component: str
    labels: Mapping[str, str]
    namespace: str = NAMESPACE


class Policies:
    """The network policies of one namespace. Pods of other namespaces stand for everything outside."""

    def __init__(self, policies: list[Object], namespace: str = NAMESPACE) -> None:
        self._policies = [policy["spec"] for policy in policies]
        self._namespace = namespace

    @property
    def named_ports(self) -> set[int]:
        """The ports that any rule names."""
        rules = [
            rule for one in self._policies for direction in ("ingress", "egress") for rule in one.get(direction, [])
        ]
        return {int(port["port"]) for rule in rules for port in rule.get("ports", [])}

    def allow(self, source: Pod, target: Pod, port: int) -> bool:
        """Whether a pod may connect to a TCP port of another one: both sides have to agree."""
        return self.let_out(source, target, port) and self.let_in(source, target, port)

    def let_out(self, source: Pod, target: Pod, port: int) -> bool:
        return self._permit("Egress", "to", source, target, port)

    def let_in(self, source: Pod, target: Pod, port: int) -> bool:
        return self._permit("Ingress", "from", target, source, port)

    def _permit(self, direction: str, peers: str, pod: Pod, other: Pod, port: int) -> bool:
        """Pods that no policy selects are free; for the others one rule of any policy is enough."""
        if pod.namespace != self._namespace:
            return True
        selecting = [
            one for one in self._policies if direction in one["policyTypes"] and selects(one["podSelector"], pod.labels)
        ]
        rules = [rule for one in selecting for rule in one.get(direction.lower(), [])]
        return not selecting or any(self._covers(rule, peers, other, port) for rule in rules)

    def _covers(self, rule: Object, peers: str, other: Pod, port: int) -> bool:
        ports = rule.get("ports", [])
        if ports and not any((one["port"], one.get("protocol", "TCP")) == (port, "TCP") for one in ports):
            return False
        return not rule.get(peers) or any(self._is(peer, other) for peer in rule[peers])

    def _is(self, peer: Object, pod: Pod) -> bool:
        """Addresses are not those of pods here."""
        if "ipBlock" in peer:
            return False
        if "namespaceSelector" in peer:
            found = selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": pod.namespace})
        else:
            found = pod.namespace == self._namespace
        return found and selects(peer.get("podSelector", {}), pod.labels)


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects what has these labels; an empty one selects everything."""
    wanted = selector.get("matchLabels", {}).items()
    return wanted <= labels.items() and all(_holds(one, labels) for one in selector.get("matchExpressions", []))


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    raise ValueError(f"{expression['operator']}: not an operator of Kubernetes")


def policies(objects: list[Object]) -> list[Object]:
    """The policies that the charts make, and the one that Strimzi makes for the brokers."""
    return [*of(objects, "NetworkPolicy"), network_policy(_kafka(objects))]


def installed(objects: list[Object]) -> Iterator[Pod]:
    """The pods of the charts, of the jobs and of Strimzi, with all of their labels that policies could select."""
    for _, pod in pods(objects):
        labels = pod["metadata"]["labels"]
        yield Pod(labels[NAME], labels)
    for name, job in jobs().items():
        for role in ("driver", "executor"):
            yield Pod(role, application(job)[role]["labels"] | _spark_labels(name, role))
    kafka = _kafka(objects)
    for pool in kafka.pools:
        yield Pod("kafka", stateful_set(kafka, pool, "")["spec"]["template"]["metadata"]["labels"])
    entity = {NAME: "entity-operator", "strimzi.io/component-type": "entity-operator"}
    yield Pod("entity-operator", kafka.labels | entity | {"strimzi.io/name": f"{kafka.cluster}-entity-operator"})


def _spark_labels(job: str, role: str) -> dict[str, str]:
    """What Spark and its operator add."""
    return {
        "spark-role": role,
        "spark-app-selector": "spark-1",
        "spark-app-name": job,
        "spark-version": "4.1.1",
        "sparkoperator.k8s.io/app-name": job,
        "sparkoperator.k8s.io/launched-by-spark-operator": "true",
        "sparkoperator.k8s.io/submission-id": "1",
    }


def _kafka(objects: list[Object]) -> Spec:
    [kafka] = of(objects, "Kafka")
    placed = {**kafka, "metadata": {**kafka["metadata"], "namespace": NAMESPACE}}
    return read(placed, of(objects, "KafkaNodePool"), kafka["spec"]["kafka"]["version"], "")
