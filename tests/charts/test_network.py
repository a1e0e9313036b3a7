"""Network policies allow exactly the connections that components are configured with."""

import base64
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.charts.rendering import NAMESPACE, Charts, Object, application, environment, jobs, of, pods

NAME = "app.kubernetes.io/name"


class Edge(NamedTuple):
    """Pods of one component connect to a port of another component's pods."""

    source: str
    target: str
    port: int


HDFS_DATA = {
    Edge(client, "datanode", port) for client in ("spark", "trino", "datanode", "helm-test") for port in (9866, 9867)
}
"""The NameNode sends its clients to the DataNodes, and DataNodes to each other."""

STORES = ("hive-metastore-postgresql", "world-store")
"""They open no connections, and accept them only from the pods of their chart."""

OF_CHECKPOINTS = {Edge("secondarynamenode", "namenode", 9870)}
"""It fetches edits from the NameNode, and uploads the checkpoint."""

OF_FAILOVER = {
    *(Edge("namenode", "namenode", port) for port in (8020, 9870, 8019)),
    *(Edge("journalnode", "journalnode", port) for port in (8485, 8480)),
    *(Edge("zookeeper", "zookeeper", port) for port in (2888, 3888)),
}
"""The standby uploads the checkpoint, too; each server of a kind asks the others of its kind."""

OF_BACKUPS = {
    Edge("backup", "namenode", 9870),
    Edge("backup", "datanode", 9866),
    Edge("backup", "hive-metastore-postgresql", 5432),
}
"""They fetch the image of the file names, the tables' metadata and the catalog's database."""


def _containers(objects: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Component, pod and container of every container, drivers and executors included."""
    for _, pod in pods(objects):
        for container in pod["spec"]["containers"]:
            yield pod["metadata"]["labels"][NAME], pod["spec"], container
    for job in jobs().values():
        one = application(job)
        volume = {"name": "hdfs-client", "configMap": {"name": one["hadoopConfigMap"]}}
        yield one["driver"]["labels"][NAME], {"volumes": [volume]}, one["driver"]


def _configuration(objects: list[Object], pod: Object, container: Object) -> str:
    """All configuration of a container as text: environment, arguments, mounted files."""
    given = environment(objects, container)
    if "import Topic" in str(container.get("command")):
        # It has the jobs' settings but connects to Kafka only.
        given = {name: value for name, value in given.items() if name.startswith("KAFKA")}
    words = [*container.get("command", []), *container.get("args", [])]
    # Host and port in two arguments.
    pairs = [f"{host}:{port}" for host, port in pairwise(words) if port.isdecimal()]
    # A shell's name for its first argument.
    written = " ".join(words).replace("$0", words[-1] if words else "")
    mounted = {mount.get("subPath") for mount in container.get("volumeMounts", []) if mount["name"] == "config"}
    files = [
        text
        for volume in pod.get("volumes", [])
        if "configMap" in volume
        for config in of(objects, "ConfigMap", volume["configMap"]["name"])
        for name, text in config["data"].items()
        if name in mounted or volume["name"] == "hdfs-client"
    ]
    return "\n".join([*(_revealed(objects, value) for value in given.values()), *pairs, written, *files])


def _revealed(objects: list[Object], value: str) -> str:
    """The content of the Secret that a value refers to, if the charts create it."""
    place = re.fullmatch(r"secret (\S+)/(\w+)", value)
    found = of(objects, "Secret", place[1]) if place else []
    return base64.b64decode(found[0]["data"][place[2]]).decode() if place and found else value


def _configured(objects: list[Object]) -> set[Edge]:
    services = {one["metadata"]["name"]: one for one in of(objects, "Service")}
    [kafka] = of(objects, "Kafka")
    bootstrap = f"{kafka['metadata']['name']}-kafka-bootstrap"
    found = set()
    for source, pod, container in _containers(objects):
        for host, port in re.findall(r"(?<![\w.-])([a-z][\w.-]*):(\d{2,5})\b", _configuration(objects, pod, container)):
            name = host.removesuffix(f".{NAMESPACE}.svc.cluster.local").rpartition(".")[2]
            if name == bootstrap:
                found.add(Edge(source, "kafka", int(port)))
            elif name in services:
                [target] = [one for one in services[name]["spec"]["ports"] if one["port"] == int(port)]
                at = 5000 if target.get("targetPort") == "http" else 5010 if target["name"] == "admin" else int(port)
                found.add(Edge(source, services[name]["spec"]["selector"][NAME], at))
    # Only tools that run in the NameNode's pod use its HTTP port. The NameNode is configured with its own addresses,
    # and JournalNodes have the configuration of all clients.
    servers = ("namenode", "journalnode")
    return {one for one in found if one.target != "namenode" or (one.port == 8020 and one.source not in servers)}


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
    # Strimzi creates a policy from these.
    found = {
        Edge(peer["podSelector"]["matchLabels"][NAME], "kafka", listener["port"])
        for listener in kafka["spec"]["kafka"]["listeners"]
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
def test_configured_connections_are_allowed(charts: Charts, file: str) -> None:
    """Egress and ingress allow exactly the configured addresses, and those that follow from them."""
    objects = charts.render("gamelake", file)
    of_namenodes = OF_FAILOVER | OF_BACKUPS if file == "values-ha.yaml" else OF_CHECKPOINTS
    needed = _configured(objects) | HDFS_DATA | of_namenodes
    # The API accepts connections from everywhere, as players may be anywhere, but to the admin port only from tests.
    assert {edge for edge in needed if edge.target == "api"} == {Edge("helm-test", "api", 5010)}
    listeners = of(objects, "Kafka")[0]["spec"]["kafka"]["listeners"]
    # Each listener is for all clients of Kafka.
    clients = {
        Edge(edge.source, "kafka", one["port"]) for edge in needed if edge.target == "kafka" for one in listeners
    }
    assert _ingress(objects) == needed | clients | {AMONG_JOBS}
    from_tests = {edge for edge in needed if edge.source == "helm-test"}
    assert _egress(objects) == (needed - from_tests) | {AMONG_JOBS, Edge("helm-test", "any", 0)}


def test_everything_else_is_denied(charts: Charts) -> None:
    """The umbrella chart denies all traffic that no policy allows."""
    [policy] = of(charts.render("gamelake"), "NetworkPolicy", "default-deny")
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_pod_has_a_policy(charts: Charts) -> None:
    """A policy selects the pods of every component, brokers, jobs and tests included."""
    objects = charts.render("gamelake")
    policies = of(objects, "NetworkPolicy")
    selected = {str(policy["spec"]["podSelector"].get("matchLabels")) for policy in policies}
    for source, _, _ in _containers(objects):
        assert str({NAME: source}) in selected
    assert str({"strimzi.io/cluster": "events"}) in selected


def test_dns_is_allowed(charts: Charts) -> None:
    """Every pod that is configured with a host name may use the cluster's DNS."""
    for policy in of(charts.render("gamelake"), "NetworkPolicy"):
        ports = [port for rule in policy["spec"].get("egress", []) for port in rule.get("ports", [])]
        allowed = {"port": 53, "protocol": "UDP"} in ports
        assert allowed == (policy["metadata"]["name"] not in ("default-deny", "spark-reaper", *STORES))


def test_few_may_use_the_kubernetes_api(charts: Charts) -> None:
    """Drivers create executors, brokers read secrets, the reaper deletes pods, a Job creates Secrets: no other does."""
    open_ = {
        policy["metadata"]["name"]
        for policy in of(charts.render("gamelake"), "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if "to" not in rule and {"port": 443} in rule["ports"]
    }
    assert open_ == {"spark", "spark-reaper", "kafka", "trino-secrets"}


def test_additional_peers_are_allowed(charts: Charts) -> None:
    """Rules and peers of the values are added to the charts' own."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]}
    for chart in ("hdfs", "hive-metastore", "trino", "spark"):
        objects = charts.render(chart, values={"networkPolicy": {"extraIngress": [rule]}})
        closed = (*STORES, "spark-reaper", "trino-secrets")
        policies = [policy for policy in of(objects, "NetworkPolicy") if policy["metadata"]["name"] not in closed]
        assert all(rule in policy["spec"]["ingress"] for policy in policies), chart
    peer = rule["from"][0]
    [kafka] = of(charts.render("kafka", values={"networkPolicy": {"extraPeers": [peer]}}), "Kafka")
    assert all(peer in one["networkPolicyPeers"] for one in kafka["spec"]["kafka"]["listeners"])
    [api] = of(charts.render("api", values={"networkPolicy": {"from": [peer]}}), "NetworkPolicy", "api")
    tests = {"podSelector": {"matchLabels": {NAME: "helm-test"}}}
    assert api["spec"]["ingress"] == [
        {"ports": [{"port": 5000}], "from": [tests, peer]},
        {"ports": [{"port": 5010}], "from": [tests]},
    ]


def test_operators_may_connect_where_players_may_not(charts: Charts) -> None:
    """Prometheus, for one, is let to the admin port and to the world's metrics, and by that to nothing else."""
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    objects = charts.render("api", values={"networkPolicy": {"adminFrom": [peer]}})
    reached = {
        (policy["metadata"]["name"], port["port"])
        for policy in of(objects, "NetworkPolicy")
        for rule in policy["spec"].get("ingress", [])
        if peer in rule.get("from", [])
        for port in rule["ports"]
    }
    assert reached == {("api", 5010), ("world", 9109)}
    [world] = of(charts.render("api"), "NetworkPolicy", "world")
    assert "ingress" not in world["spec"]


def test_metrics_may_be_read_by_whom_the_values_name(charts: Charts) -> None:
    """global.monitoring.from reaches the ports of the PodMonitors and no other; the brokers' Strimzi opens itself."""
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    for file, servers in (
        ("values-kind.yaml", {("namenode", 9870), ("datanode", 9864), ("secondarynamenode", 9868)}),
        ("values-ha.yaml", {("namenode", 9870), ("datanode", 9864), ("journalnode", 8480)}),
    ):
        objects = charts.render("gamelake", file, values={"global": {"monitoring": {"from": [peer]}}})
        reached = {
            (policy["metadata"]["name"], port["port"])
            for policy in of(objects, "NetworkPolicy")
            for rule in policy["spec"].get("ingress", [])
            if peer in rule.get("from", [])
            for port in rule["ports"]
        }
        assert reached == servers | {("api", 5010), ("world", 9109), ("spark", 9108)}


def test_dns_may_listen_elsewhere(charts: Charts) -> None:
    """global.networkPolicy.dnsPorts are the ports, by both protocols, of every pod that may ask for names."""
    chosen = {"global": {"networkPolicy": {"dnsPorts": [53, 5353]}}}
    ports = [{"port": port, "protocol": protocol} for port in (53, 5353) for protocol in ("UDP", "TCP")]
    for policy in of(charts.render("gamelake", values=chosen), "NetworkPolicy"):
        rules = [rule["ports"] for rule in policy["spec"].get("egress", []) if "to" not in rule]
        assert (ports in rules) == (policy["metadata"]["name"] not in ("default-deny", "spark-reaper", *STORES))


def test_the_kubernetes_api_may_be_narrowed(charts: Charts) -> None:
    """Its ports and networks are values: drivers and brokers then reach nothing else outside the namespace."""
    chosen = {"global": {"networkPolicy": {"apiServerPorts": [8443], "apiServerCidrs": ["10.96.0.1/32", "fd00::/108"]}}}
    objects = charts.render("gamelake", values=chosen)
    expected = {
        "ports": [{"port": 8443}],
        "to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}, {"ipBlock": {"cidr": "fd00::/108"}}],
    }
    for name in ("spark", "kafka"):
        [policy] = of(objects, "NetworkPolicy", name)
        assert expected in policy["spec"]["egress"]
        assert not any({"port": 443} in rule.get("ports", []) for rule in policy["spec"]["egress"])


def test_prometheus_operator_finds_the_monitors(charts: Charts) -> None:
    """PodMonitors and rules have the labels of global.monitoring.labels, and keep their own."""
    chosen = {part: {"monitoring": {"enabled": True}} for part in ("kafka", "hdfs", "api", "spark")}
    objects = charts.render(
        "gamelake", values={**chosen, "global": {"monitoring": {"labels": {"release": "prometheus"}}}}
    )
    found = [*of(objects, "PodMonitor"), *of(objects, "PrometheusRule")]
    assert len(found) == 8
    for one in found:
        assert one["metadata"]["labels"]["release"] == "prometheus"
        assert NAME in one["metadata"]["labels"]
