"""Network policies allow exactly the connections that components are configured with."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import NamedTuple

import pytest

from tests.charts.network import NAME, Pod, Policies, installed, policies, selects
from tests.charts.rendering import CHARTS, NAMESPACE, Charts, Object, application, environment, jobs, of, pods
from tests.charts.variants import VARIANTS


class Edge(NamedTuple):
    """Pods of one component connect to a port of another component's pods."""

    source: str
    target: str
    port: int


HDFS_DATA = {
    Edge(client, "datanode", port) for client in ("driver", "trino", "datanode", "helm-test") for port in (9866, 9867)
}
"""The NameNode sends its clients to the DataNodes, and DataNodes to each other."""

STORES = ("hive-metastore-postgresql", "world-store")
"""They open no connections, and accept them only from the pods of their chart and from backups."""

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

OF_STRIMZI = {
    *(Edge("kafka", "kafka", port) for port in (9090, 9091)),
    *(Edge("cluster-operator", "kafka", port) for port in (9090, 9091, 8443)),
    Edge("entity-operator", "kafka", 9091),
}
"""What Strimzi itself allows: its operators, and brokers and controllers among each other."""

PLAYERS = {Edge(source, "api", 5000) for source in ("helm-test", "cluster-operator")}
"""Players may be anywhere. What is let out to the API is a test, and everything outside of the namespace."""
FREE = ("helm-test", "kafka", "entity-operator", "cluster-operator")
"""They are let out to any port of their namespace or of Kafka, or are outside: the other end restricts them."""
OUTSIDE = {443, 6443}
"""The Kubernetes API, whose address no chart knows."""
OPERATOR = Pod("cluster-operator", {"strimzi.io/kind": "cluster-operator"}, "operators")
DNS = Pod("kube-dns", {"k8s-app": "kube-dns"}, "kube-system")
JOBS = ("driver", "executor")
UNNAMED = 40000
"""A port that no rule names."""


class Network(Policies):
    """What an installation's policies allow between its pods."""

    def __init__(self, objects: list[Object]) -> None:
        super().__init__(policies(objects))
        self.pods = list(installed(objects))
        self.components = {pod.component for pod in self.pods}
        self.ports = self.named_ports | {UNNAMED}

    def edges(self, may: Callable[[Pod, Pod, int], bool], *outside: Pod) -> set[Edge]:
        """Return the connections to the pods, or to those outside, from the pods and the operators."""
        sources = self.pods if outside else [*self.pods, OPERATOR]
        return {
            Edge(source.component, target.component, port)
            for source, target, port in product(sources, outside or self.pods, self.ports)
            if may(source, target, port)
        }


def _containers(objects: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Component, pod and container of every container, drivers and executors included."""
    for _, pod in pods(objects):
        for container in pod["spec"]["containers"]:
            yield pod["metadata"]["labels"][NAME], pod["spec"], container
    for job in jobs().values():
        one = application(job)
        volume = {"name": "hdfs-client", "configMap": {"name": one["hadoopConfigMap"]}}
        yield "driver", {"volumes": [volume]}, one["driver"]


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
    """The address that the Job writes into a Secret, for a value that refers to it."""
    [job] = of(objects, "Job", "gamelake-secrets")
    [maker] = job["spec"]["template"]["spec"]["containers"]
    made = dict(argument.split("=") for argument in maker["args"] if "=" in argument)
    return made["--store-address"] if value == f"secret {made['--store']}/url" else value


def _configured(objects: list[Object]) -> set[Edge]:
    services = {one["metadata"]["name"]: one for one in of(objects, "Service")}
    [kafka] = of(objects, "Kafka")
    bootstrap = f"{kafka['metadata']['name']}-kafka-bootstrap"
    found = set()
    for source, pod, container in _containers(objects):
        if source == "gamelake-secrets":
            # It connects to none of the addresses that it writes.
            continue
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


@pytest.mark.parametrize("file", ["values-kind.yaml", "values-ha.yaml"])
def test_configured_connections_are_allowed(charts: Charts, file: str) -> None:
    """Policies allow exactly the configured addresses, and those that follow from them, at both ends."""
    objects = charts.render("gamelake", file)
    network = Network(objects)
    needed = _needed(objects, file, network.ports)
    assert network.edges(network.allow) == needed
    # Neither end alone allows more, except where an end has to be open to what is not a pod.
    let_out = network.edges(network.let_out) ^ needed
    assert {one for one in let_out if one.source not in FREE and one.port not in OUTSIDE} == set()
    # Servers do not tell executors from drivers; each listener of Kafka is for all of its clients.
    [kafka] = of(objects, "Kafka")
    listeners = [one["port"] for one in kafka["spec"]["kafka"]["listeners"]]
    more = {one._replace(source="executor") for one in needed if one.source == "driver"}
    more |= {
        one._replace(port=port)
        for one in needed
        if one.target == "kafka" and one.port in listeners
        for port in listeners
    }
    # Players may be anywhere.
    let_in = network.edges(network.let_in) ^ (needed | more)
    assert {one for one in let_in if one[1:] != ("api", 5000)} == set()


@pytest.mark.parametrize("file", ["values-kind.yaml", "values-ha.yaml"])
def test_few_may_leave_the_namespace(charts: Charts, file: str) -> None:
    """All but the stores ask the cluster's DNS for names; only those that use Kubernetes' API reach others outside."""
    network = Network(charts.render("gamelake", file))
    of_dns, of_others = (
        {(one.source, one.port) for one in network.edges(network.let_out, outside)} for outside in (DNS, OPERATOR)
    )
    names = {pod.component for pod in network.pods} - {*STORES, "spark-reaper"}
    api = {"driver", "kafka", "entity-operator", "gamelake-secrets"} | {"spark-reaper"} & {*network.components}
    assert of_others == {(name, port) for name in api for port in (443, 6443)}
    assert of_dns == of_others | {(name, 53) for name in names}


def _needed(objects: list[Object], file: str, ports: set[int]) -> set[Edge]:
    of_namenodes = OF_FAILOVER | OF_BACKUPS if file == "values-ha.yaml" else OF_CHECKPOINTS
    needed = _configured(objects) | HDFS_DATA | of_namenodes | OF_STRIMZI
    # The API accepts connections from everywhere, but to the admin port only from tests.
    assert {edge for edge in needed if edge.target == "api"} == {Edge("helm-test", "api", 5010)}
    # Executors read Kafka and write files, but only drivers commit.
    data = {edge for edge in needed if edge.source == "driver" and edge.target in ("kafka", "namenode", "datanode")}
    among_jobs = {Edge(*pair, port) for pair in product(JOBS, JOBS) for port in ports}
    return needed | PLAYERS | {edge._replace(source="executor") for edge in data} | among_jobs


def test_everything_else_is_denied(charts: Charts) -> None:
    """The umbrella chart denies all traffic that no policy allows."""
    [policy] = of(charts.render("gamelake"), "NetworkPolicy", "default-deny")
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_policies_can_be_left_out(charts: Charts) -> None:
    """All of them, that of the Job which makes the Secrets included; while everything is denied, that one stays."""
    assert of(charts.render("gamelake", values=VARIANTS["open"][1]), "NetworkPolicy") == []
    denied = charts.render("gamelake", values={"trino": {"networkPolicy": {"enabled": False}}})
    assert of(denied, "NetworkPolicy", "gamelake-secrets")


def test_every_pod_has_a_policy(charts: Charts) -> None:
    """A policy selects the pods of every component, brokers, jobs and tests included."""
    objects = charts.render("gamelake")
    selectors = [policy["spec"]["podSelector"] for policy in policies(objects)]
    for pod in installed(objects):
        assert any(selector and selects(selector, pod.labels) for selector in selectors), pod


def test_additional_peers_are_allowed(charts: Charts) -> None:
    """Rules and peers of the values are added to the charts' own."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]}
    for chart in ("hdfs", "hive-metastore", "trino", "spark"):
        objects = charts.render(chart, values={"networkPolicy": {"extraIngress": [rule]}})
        closed = (*STORES, "spark-reaper", "spark-driver", f"{chart}-secrets")
        opened = [policy for policy in of(objects, "NetworkPolicy") if policy["metadata"]["name"] not in closed]
        assert all(rule in policy["spec"]["ingress"] for policy in opened), chart
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
        ("values-kind.yaml", {("namenode", 9404), ("datanode", 9404), ("secondarynamenode", 9404)}),
        ("values-ha.yaml", {("namenode", 9404), ("datanode", 9404), ("journalnode", 9404)}),
    ):
        objects = charts.render("gamelake", file, values={"global": {"monitoring": {"from": [peer]}}})
        reached = {
            (policy["metadata"]["name"], port["port"])
            for policy in of(objects, "NetworkPolicy")
            for rule in policy["spec"].get("ingress", [])
            if peer in rule.get("from", [])
            for port in rule["ports"]
        }
        stores = {("world-store", 9121), ("hive-metastore-postgresql", 9187)}
        agents = {("trino", 9404), ("hive-metastore", 9404)}
        assert reached == servers | stores | agents | {("api", 5010), ("world", 9109), ("spark", 9108)}


def test_dns_may_be_elsewhere(charts: Charts) -> None:
    """Where every pod may ask for names, by both protocols, are values: ports, and peers such as addresses."""
    peers = [{"ipBlock": {"cidr": "169.254.20.10/32"}}, {"ipBlock": {"cidr": "fd00::10/128"}}]
    chosen = {"global": {"networkPolicy": {"dnsPorts": [53, 5353], "dnsPeers": peers}}}
    # Drivers ask by the policy that they share with executors.
    nameless = ("default-deny", "spark-reaper", "spark-driver", *STORES)
    ports = [{"port": port, "protocol": protocol} for port in (53, 5353) for protocol in ("UDP", "TCP")]
    for policy in of(charts.render("gamelake", values=chosen), "NetworkPolicy"):
        asks = {"ports": ports, "to": peers} in policy["spec"].get("egress", [])
        assert asks == (policy["metadata"]["name"] not in nameless)


def test_dns_may_be_anywhere(charts: Charts) -> None:
    """Without peers the ports alone count."""
    network = Network(charts.render("gamelake", values={"global": {"networkPolicy": {"dnsPeers": []}}}))
    assert Edge("api", OPERATOR.component, 53) in network.edges(network.let_out, OPERATOR)


def test_the_kubernetes_api_may_be_narrowed(charts: Charts) -> None:
    """Its ports and networks are values: drivers and brokers then reach nothing else outside the namespace."""
    chosen = {"global": {"networkPolicy": {"apiServerPorts": [8443], "apiServerCidrs": ["10.96.0.1/32", "fd00::/108"]}}}
    objects = charts.render("gamelake", values=chosen)
    expected = {
        "ports": [{"port": 8443}],
        "to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}, {"ipBlock": {"cidr": "fd00::/108"}}],
    }
    for name in ("spark-driver", "kafka"):
        [policy] = of(objects, "NetworkPolicy", name)
        assert expected in policy["spec"]["egress"]
        assert not any({"port": 443} in rule.get("ports", []) for rule in policy["spec"]["egress"])


def test_prometheus_operator_finds_the_monitors(charts: Charts) -> None:
    """PodMonitors and rules have the labels of global.monitoring.labels, and keep their own."""
    chosen = {part: {"monitoring": {"enabled": True}} for part in CHARTS[:-1]}
    objects = charts.render(
        "gamelake", values={**chosen, "global": {"monitoring": {"labels": {"release": "prometheus"}}}}
    )
    found = [*of(objects, "PodMonitor"), *of(objects, "PrometheusRule")]
    assert len(found) == 14
    for one in found:
        assert one["metadata"]["labels"]["release"] == "prometheus"
        assert NAME in one["metadata"]["labels"]
