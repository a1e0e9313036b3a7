"""The installation under test, through its API, Trino and Kubernetes."""

import http.client
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from game_trino.connection import FAILURES
from lake.settings import EVENTS
from testbed.clients import sql
from testbed.cluster import jobs, ledger
from testbed.cluster.api import Object
from testbed.cluster.cluster import RELEASE, Cluster
from testbed.cluster.progress import Progress
from testbed.cluster.readiness import has_ready_condition
from testbed.cluster.settings import Settings
from testbed.settings import HOST
from testbed.settings import Settings as LocalSettings
from testbed.waiting import wait_until

from tests.command import run

ENVIRONMENT = {**os.environ, "CLUSTER": os.environ.get("CLUSTER", "gamelake-e2e")}
SETTINGS = Settings.from_environment(ENVIRONMENT)
# kind makes a new cluster the current context; this keeps it out of the user's own configuration.
ENVIRONMENT["KUBECONFIG"] = str(SETTINGS.data.with_suffix(".kubeconfig"))

PATIENCE = 420
"""Seconds for a part, and everything that depends on it, to recover."""

SELECTORS = {
    "api": "app.kubernetes.io/name=api",
    "world": "app.kubernetes.io/name=world",
    "store": "app.kubernetes.io/name=world-store",
    "broker": "strimzi.io/cluster=events,strimzi.io/broker-role=true",
    "driver": "sparkoperator.k8s.io/app-name=stream,spark-role=driver",
    "executor": "sparkoperator.k8s.io/app-name=stream,spark-role=executor",
    "namenode": "app.kubernetes.io/name=namenode",
    "datanode": "app.kubernetes.io/name=datanode",
    "metastore": "app.kubernetes.io/name=hive-metastore",
    "postgresql": "app.kubernetes.io/name=hive-metastore-postgresql",
    "trino": "app.kubernetes.io/name=trino",
}
"""The label selector for the pods of each part."""


def make(target: str, **environment: str) -> str:
    """Run `make` as a user does, and return its output; AssertionError if it fails."""
    ran = run(["make", target], {**ENVIRONMENT, **environment}, errors=subprocess.STDOUT)
    print(ran.stdout)
    assert ran.returncode == 0, f"make {target} ended with {ran.returncode}"
    return ran.stdout


@dataclass(frozen=True)
class Pod:
    name: str
    uid: str
    phase: str
    ready: bool
    labels: dict[str, str]


class Installation:
    """`settings` have the forwarded ports of the API, Trino and the stream's metrics; `issue` makes players' tokens."""

    def __init__(self, cluster: Cluster, settings: LocalSettings, issue: Callable[[str], str] | None = None) -> None:
        self.cluster = cluster
        self.settings = settings
        self.issue = issue

    def pods(self, part: str = "") -> list[Pod]:
        """Return the pods of a part, or all pods, without those that are terminating."""
        return _pods(self.cluster.api.find("Pod", SELECTORS[part] if part else ""))

    def pod(self, part: str) -> Pod:
        """Wait until a part has a pod, and return it."""
        return wait_until(f"a pod of {part}", lambda: self.pods(part), PATIENCE, pause=1)[0]

    def delete_pod(self, part: str) -> None:
        """Delete a pod of a part, and wait until another pod is ready."""
        victim = self.pod(part)
        self.cluster.api.delete("Pod", victim.name)

        def replaced(pods: list[Object]) -> bool:
            ready = {pod.uid: pod.ready for pod in _pods(pods)}
            return victim.uid not in ready and any(ready.values())

        self.cluster.api.wait("Pod", replaced, PATIENCE, selector=SELECTORS[part])

    def job_state(self, name: str) -> str:
        """Return the state of a SparkApplication."""
        return jobs.state(self.cluster, name)

    def revision(self) -> str:
        """Return the number of the release's last revision."""
        [_, last] = self.cluster.helm("history", RELEASE, "--max", "1").splitlines()
        return last.split()[0]

    def ask(self, query: str) -> list[list[Any]]:
        return sql.ask(self.settings, query)[1]

    def count(self) -> int:
        return sql.count(self.settings, EVENTS)

    def await_fresh_row(self) -> float:
        """Send an event and wait until its row is visible; return the seconds it took."""
        progress = Progress()
        sent = self.await_acknowledgement(PATIENCE)
        wait_until(f"the row of {sent}", lambda: self._visible(*sent), PATIENCE, pause=1)
        return progress.seconds

    def await_acknowledgement(self, seconds: float) -> tuple[int, int]:
        """Send events until one is acknowledged; return its partition and offset."""
        return wait_until("an acknowledgement", self._send, seconds, pause=0.5)[0]

    def differences(self) -> dict[tuple[str, str], list[str]]:
        """Return the differences between the players' answers, the topic, the table and its views."""
        stages = ledger.ledger(self.cluster, self.settings, wait=PATIENCE)
        assert all(stage.compared for stage in stages), "nothing was compared"
        return {
            (stage.name, name): [f"{kind.count} in all", *kind.samples]
            for stage in stages
            for name, kind in stage.differences.items()
            if kind.count
        }

    def _send(self) -> list[tuple[int, int]]:
        """Send an event; return its partition and offset if it was acknowledged."""
        connection = http.client.HTTPConnection(HOST, self.settings.ports.api, timeout=10)
        try:
            headers = {"Host": "probe", "Accept": "application/json"}
            if self.issue:
                headers["Authorization"] = f"Bearer {self.issue('probe')}"
            connection.request("POST", "/purchase_a_sword", headers=headers)
            answer = json.loads(connection.getresponse().read())
            return [(answer["partition"], answer["offset"])]
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            print(f"not acknowledged: {error!r}")
            return []
        finally:
            connection.close()

    def _visible(self, partition: int, offset: int) -> bool:
        query = f"SELECT 1 FROM {EVENTS} WHERE kafka_partition = {partition} AND kafka_offset = {offset}"
        try:
            return bool(self.ask(query))
        except FAILURES:
            return False


def _pods(objects: list[Object]) -> list[Pod]:
    return [_pod(one) for one in objects if "deletionTimestamp" not in one["metadata"]]


def _pod(described: Object) -> Pod:
    metadata, status = described["metadata"], described["status"]
    ready = has_ready_condition(status)
    return Pod(metadata["name"], metadata["uid"], status["phase"], ready, metadata.get("labels", {}))
