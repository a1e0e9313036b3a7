"""Connections that pods try from within, with what their images have, and what network policies say of them."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from testbed.cluster.api import Object
from testbed.cluster.cluster import Cluster
from testbed.cluster.readiness import all_ready, is_ready

from tests.charts.network import NAME, Pod, Policies
from tests.e2e.pods import python_pod

STRANGER = "stranger"
"""A pod of another namespace, which stands for the internet too. It has the labels of a driver."""
VISITOR = "visitor"
"""A pod of the installation's namespace that no policy selects but the one that denies everything."""

_JOB = "sparkoperator.k8s.io/app-name"
_LISTENERS = "cat /proc/net/tcp{,6} 2>/dev/null; true"
# A dropped packet takes three seconds. Eight at a time: some pods have little memory to spare.
_CONNECT = """\
for place; do
  timeout 3 bash -c "exec 3<>/dev/tcp/$place && echo $place" 2>/dev/null &
  ((++started % 8)) || wait
done
wait
"""
# At a port of the Kubernetes API, to which some may connect anywhere, and at another one.
_SERVE = ["bash", "-c", "python3 -m http.server 6443 & exec python3 -m http.server 8443"]
_PATIENCE = 420


class Attempt(NamedTuple):
    """A connection from one component to a port of another, whether it was open, and whether policies allow it."""

    source: str
    target: str
    port: int
    open: bool
    allowed: bool


class Prober:
    """A pod that listens, and tries to reach others."""

    def __init__(self, cluster: Cluster, described: Object) -> None:
        self._cluster = cluster
        self._name = described["metadata"]["name"]
        self._container = described["spec"]["containers"][0]["name"]
        labels = described["metadata"].get("labels", {})
        component = self._name if self._name in (STRANGER, VISITOR) else labels.get("spark-role") or labels.get(NAME)
        self.pod = Pod(component, labels, cluster.namespace)
        self.address = described["status"]["podIP"]

    def listening(self) -> set[int]:
        """Return the TCP ports that do not listen on loopback alone."""
        return listening(self._run(_LISTENERS))

    def reached(self, places: list[str]) -> set[str]:
        """Return those of the places (address/port) that accept a connection."""
        return set(self._run(_CONNECT, *places).splitlines())

    def _run(self, script: str, *arguments: str) -> str:
        command = ("bash", "-c", script, "probe", *arguments)
        return self._cluster.execute(self._name, *command, container=self._container)


def listening(table: str) -> set[int]:
    """Return the ports of /proc/net/tcp and tcp6 on which others could reach a process."""
    found = re.findall(r"^ *\d+: (\w+):(\w{4}) \w+:\w{4} 0A ", table, re.MULTILINE)
    return {int(port, 16) for address, port in found if not re.fullmatch(r"\w*7F|0{24}01000000", address)}


def attempts(*namespaces: Cluster, policies: Policies) -> list[Attempt]:
    """Let every pod that is ready try every port of every other. Maintenance, which comes and goes, takes no part."""
    probers = [
        Prober(where, pod)
        for where in namespaces
        for pod in where.api.find("Pod")
        if is_ready(pod) and not pod["metadata"].get("labels", {}).get(_JOB, "").startswith("maintain")
    ]
    with ThreadPoolExecutor(len(probers)) as threads:
        ports = zip(probers, threads.map(Prober.listening, probers), strict=True)
        places = {f"{prober.address}/{port}": (prober, port) for prober, of in ports for port in of}

        def tried(source: Prober) -> list[Attempt]:
            others = {place: to for place, to in places.items() if to[0] is not source}
            reached = source.reached(list(others))
            return [
                Attempt(
                    source.pod.component,
                    target.pod.component,
                    port,
                    place in reached,
                    policies.allow(source.pod, target.pod, port),
                )
                for place, (target, port) in others.items()
            ]

        return [one for found in threads.map(tried, probers) for one in found]


@contextmanager
def strangers(cluster: Cluster) -> Iterator[Cluster]:
    """Run a stranger and a visitor while the block lasts; yield the stranger's namespace."""
    outside = Cluster(replace(cluster.settings, namespace="strangers"))
    disguise = {NAME: "spark", "spark-role": "driver"}
    pods = {STRANGER: (outside, disguise), VISITOR: (cluster, {"team": "visitors"})}
    try:
        outside.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": outside.namespace}})
        for name, (where, labels) in pods.items():
            where.api.apply(python_pod(name, labels, _SERVE))
        for name, (where, _) in pods.items():
            where.api.wait("Pod", all_ready, _PATIENCE, name=name)
        yield outside
    finally:
        cluster.kubectl("delete", "pod", VISITOR, "--ignore-not-found")
        cluster.kubectl("delete", "namespace", outside.namespace, "--ignore-not-found")
