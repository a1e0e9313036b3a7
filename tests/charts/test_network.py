"""Network policies: what may be reached is what components are configured to reach, and nothing else."""

import base64
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.charts.rendering import NAMESPACE, Charts, Object, application, environment, jobs, of, pods

NAME = "app.kubernetes.io/name"


class Edge(NamedTuple):
    """Pods of one component reach those of another at a port."""

    source: str
    target: str
    port: int


HDFS_DATA = {
    Edge(client, "datanode", port) for client in ("spark", "trino", "datanode", "helm-test") for port in (9866, 9867)
}
"""The NameNode tells its clients of the DataNodes, and these of each other."""

STORES = ("hive-metastore-postgresql", "world-store")
"""They speak to nobody, and only their charts' pods to them."""

OF_CHECKPOINTS = {Edge("secondarynamenode", "namenode", 9870)}
"""It fetches edits from the NameNode, and sends it the checkpoint."""

OF_TABLES = {Edge("trino", "namenode", 8020)}
"""The metastore tells Trino where tables lie."""


def _containers(objects: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    """The component, the pod and the container of each; drivers and executors among them."""
    for _, pod in pods(objects):
        for container in pod["spec"]["containers"]:
            yield pod["metadata"]["labels"][NAME], pod["spec"], container
    for job in jobs().values():
        driver = application(job)["driver"]
        yield driver["labels"][NAME], {}, driver


def _told(objects: list[Object], pod: Object, container: Object) -> str:
    """All text that a container is given: environment, arguments, mounted files."""
    given = environment(objects, container)
    if "import Topic" in str(container.get("command")):
        # It has the jobs' settings and asks Kafka alone.
        given = {name: value for name, value in given.items() if name.startswith("KAFKA")}
    if container.get("name") == "world":
        # It has the API's settings and shows no dashboard.
        del given["TRINO_URL"]
    # A host and a port in two variables or two arguments.
    pairs = [f"{given['TRINO_HOST']}:{given['TRINO_PORT']}"] if {"TRINO_HOST", "TRINO_PORT"} <= given.keys() else []
    words = [*container.get("command", []), *container.get("args", [])]
    pairs += [f"{host}:{port}" for host, port in pairwise(words) if port.isdecimal()]
    # What a shell calls its first argument.
    written = " ".join(words).replace("$0", words[-1] if words else "")
    mounted = {mount.get("subPath") for mount in container.get("volumeMounts", []) if mount["name"] == "config"}
    files = [
        text
        for volume in pod.get("volumes", [])
        if "configMap" in volume
        for config in of(objects, "ConfigMap", volume["configMap"]["name"])
        for name, text in config["data"].items()
        if name in mounted
    ]
    return "\n".join([*(_revealed(objects, value) for value in given.values()), *pairs, written, *files])


def _revealed(objects: list[Object], value: str) -> str:
    """What is in the Secret that a value names, if the charts make it."""
    place = re.fullmatch(r"secret (\S+)/(\w+)", value)
    found = of(objects, "Secret", place[1]) if place else []
    return base64.b64decode(found[0]["data"][place[2]]).decode() if place and found else value


def _configured(objects: list[Object]) -> set[Edge]:
    services = {one["metadata"]["name"]: one for one in of(objects, "Service")}
    [kafka] = of(objects, "Kafka")
    bootstrap = f"{kafka['metadata']['name']}-kafka-bootstrap"
    found = set()
    for source, pod, container in _containers(objects):
        for host, port in re.findall(r"(?<![\w.-])([a-z][\w.-]*):(\d{2,5})\b", _told(objects, pod, container)):
            name = host.removesuffix(f".{NAMESPACE}.svc.cluster.local").rpartition(".")[2]
            if name == bootstrap:
                found.add(Edge(source, "kafka", int(port)))
            elif name in services:
                [target] = [one for one in services[name]["spec"]["ports"] if one["port"] == int(port)]
                at = 5000 if target.get("targetPort") == "http" else int(port)
                found.add(Edge(source, services[name]["spec"]["selector"][NAME], at))
    # The NameNode is told its own address.
    return found - {Edge("namenode", "namenode", 8020)}


def _peers(rules: list[Object], key: str) -> Iterator[tuple[str, int]]:
    for rule in rules:
        for peer in rule.get(key, []):
            labels = peer["podSelector"].get("matchLabels", {})
            for port in rule.get("ports", [{"port": 0}]):
                yield labels.get(NAME, "any"), port["port"]


def _egress(objects: list[Object]) -> set[Edge]:
    return {
        Edge(policy["spec"]["podSelector"]["matchLabels"][NAME], target, port)
        for policy in of(objects, "NetworkPolicy")
        if NAME in policy["spec"]["podSelector"].get("matchLabels", {})
        for target, port in _peers(policy["spec"].get("egress", []), "to")
    }


def _ingress(objects: list[Object]) -> set[Edge]:
    [kafka] = of(objects, "Kafka")
    [listener] = kafka["spec"]["kafka"]["listeners"]
    # From these Strimzi makes a policy of its own.
    found = {
        Edge(peer["podSelector"]["matchLabels"][NAME], "kafka", listener["port"])
        for peer in listener["networkPolicyPeers"]
    }
    return found | {
        Edge(source, policy["spec"]["podSelector"]["matchLabels"][NAME], port)
        for policy in of(objects, "NetworkPolicy")
        if NAME in policy["spec"]["podSelector"].get("matchLabels", {})
        for source, port in _peers(policy["spec"].get("ingress", []), "from")
    }


AMONG_JOBS = Edge("spark", "spark", 0)
"""Drivers and executors, at any port."""


@pytest.mark.parametrize("file", ["values-kind.yaml", "values-ha.yaml"])
def test_what_is_configured_may_be_reached(charts: Charts, file: str) -> None:
    """Both ends allow exactly the addresses that components are configured with, and those that follow from them."""
    objects = charts.render("gamelake", file)
    needed = _configured(objects) | HDFS_DATA | OF_CHECKPOINTS | OF_TABLES
    # The API is open to all, as players are.
    to_api = Edge("helm-test", "api", 5000)
    assert to_api in needed
    assert _ingress(objects) == (needed - {to_api}) | {AMONG_JOBS}
    from_tests = {edge for edge in needed if edge.source == "helm-test"}
    assert _egress(objects) == (needed - from_tests) | {AMONG_JOBS, Edge("helm-test", "any", 0)}


def test_all_else_is_denied(charts: Charts) -> None:
    """The umbrella denies every pod of the namespace what no policy allows."""
    [policy] = of(charts.render("gamelake"), "NetworkPolicy", "default-deny")
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_pod_has_a_policy(charts: Charts) -> None:
    """Each component's pods, brokers, jobs and tests included, are named by a policy for what they may do."""
    objects = charts.render("gamelake")
    policies = of(objects, "NetworkPolicy")
    selected = {str(policy["spec"]["podSelector"].get("matchLabels")) for policy in policies}
    for source, _, _ in _containers(objects):
        assert str({NAME: source}) in selected
    assert str({"strimzi.io/cluster": "events"}) in selected


def test_names_can_be_looked_up(charts: Charts) -> None:
    """Every pod that is configured with a name may ask the cluster's DNS."""
    for policy in of(charts.render("gamelake"), "NetworkPolicy"):
        ports = [port for rule in policy["spec"].get("egress", []) for port in rule.get("ports", [])]
        asks = {"port": 53, "protocol": "UDP"} in ports
        assert asks == (policy["metadata"]["name"] not in ("default-deny", *STORES))


def test_only_who_has_to_reaches_the_kubernetes_api(charts: Charts) -> None:
    """Drivers make executors, and brokers read their secrets: no other pod talks to Kubernetes."""
    open_ = {
        policy["metadata"]["name"]
        for policy in of(charts.render("gamelake"), "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if "to" not in rule and {"port": 443} in rule["ports"]
    }
    assert open_ == {"spark", "kafka"}


def test_further_peers_are_let_in(charts: Charts) -> None:
    """Rules and peers of the values are added to those that are there."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]}
    for chart in ("hdfs", "hive-metastore", "trino", "spark"):
        objects = charts.render(chart, values={"networkPolicy": {"extraIngress": [rule]}})
        policies = [policy for policy in of(objects, "NetworkPolicy") if policy["metadata"]["name"] not in STORES]
        assert all(rule in policy["spec"]["ingress"] for policy in policies), chart
    peer = rule["from"][0]
    [kafka] = of(charts.render("kafka", values={"networkPolicy": {"extraPeers": [peer]}}), "Kafka")
    assert peer in kafka["spec"]["kafka"]["listeners"][0]["networkPolicyPeers"]
    [api] = of(charts.render("api", values={"networkPolicy": {"from": [peer]}}), "NetworkPolicy", "api")
    [rule] = api["spec"]["ingress"]
    assert rule["ports"] == [{"port": 5000}]
    assert rule["from"] == [{"podSelector": {"matchLabels": {NAME: "helm-test"}}}, peer]
