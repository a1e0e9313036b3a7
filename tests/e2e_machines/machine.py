"""A machine of the cluster, which is a container of the engine, and its losses."""

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import run
from testbed.cluster.readiness import all_rolled_out
from testbed.waiting import wait_until

_NOTICED = 180
"""Seconds for Kubernetes to notice that a machine does not answer, or that it answers again. It waits for 50 s."""


class Machine:
    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self.name = name

    @contextmanager
    def lost(self) -> Iterator[None]:
        """Freeze it while the block lasts: no process on it answers, and no connection to it is closed.

        The block begins when Kubernetes has noticed.
        """
        run("docker", "pause", self.name)
        try:
            wait_until(f"loss of {self.name}", lambda: self._ready() == "Unknown", _NOTICED, pause=1)
            yield
        finally:
            run("docker", "unpause", self.name)
        wait_until(f"return of {self.name}", lambda: self._ready() == "True", _NOTICED, pause=1)

    @contextmanager
    def drained(self) -> Iterator[None]:
        """Move its pods elsewhere as an operator does before maintenance, and keep others out while the block lasts."""
        options = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=10m")
        try:
            self._cluster.kubectl("drain", self.name, *options)
            yield
        finally:
            self._cluster.kubectl("uncordon", self.name)

    def pods(self, selector: str = "") -> set[str]:
        """Return the names of the pods that belong to it, without those that have to leave it."""
        return {
            pod["metadata"]["name"]
            for pod in self._cluster.api.find("Pod", selector)
            if pod["spec"].get("nodeName") == self.name and "deletionTimestamp" not in pod["metadata"]
        }

    def await_replacements(self, seconds: float) -> None:
        """Wait until all pods of Deployments are on other machines, and ready."""

        def replaced() -> bool:
            return not self.pods("pod-template-hash") and all_rolled_out(self._cluster.api.find("Deployment"))

        wait_until(f"the Deployments without {self.name}", replaced, seconds, pause=1)

    def _ready(self) -> str:
        """Return whether it is ready: True, False, or Unknown if it does not answer."""
        node = self._cluster.api.get("Node", self.name) or {"status": {"conditions": []}}
        return next((one["status"] for one in node["status"]["conditions"] if one["type"] == "Ready"), "")
