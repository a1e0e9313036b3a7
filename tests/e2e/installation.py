"""gamelake as it is installed: what a test asks of it, by the front door and of Kubernetes."""

import http.client
import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

import trino
from testbed.clients import sql
from testbed.cluster import jobs, ledger
from testbed.cluster.cluster import Cluster
from testbed.cluster.progress import Progress
from testbed.cluster.settings import Settings
from testbed.demo.stack import EVENTS
from testbed.settings import HOST, ROOT
from testbed.settings import Settings as LocalSettings
from testbed.waiting import wait_until

ENVIRONMENT = {**os.environ, "CLUSTER": os.environ.get("CLUSTER", "gamelake-e2e")}
SETTINGS = Settings.from_environment(ENVIRONMENT)
# kind makes a new cluster the current one: not in the user's own configuration.
ENVIRONMENT["KUBECONFIG"] = str(SETTINGS.data.with_suffix(".kubeconfig"))

PATIENCE = 420
"""Seconds for one part to be back, and for all that need it."""

SELECTORS = {
    "api": "app.kubernetes.io/name=api",
    "world": "app.kubernetes.io/name=world",
    "store": "app.kubernetes.io/name=world-store",
    "broker": "strimzi.io/cluster=events,strimzi.io/pool-name=dual",
    "driver": "sparkoperator.k8s.io/app-name=stream,spark-role=driver",
    "executor": "sparkoperator.k8s.io/app-name=stream,spark-role=executor",
    "namenode": "app.kubernetes.io/name=namenode",
    "datanode": "app.kubernetes.io/name=datanode",
    "metastore": "app.kubernetes.io/name=hive-metastore",
    "postgresql": "app.kubernetes.io/name=hive-metastore-postgresql",
    "trino": "app.kubernetes.io/name=trino",
}
"""How the pods of each part are found."""


def make(target: str, **environment: str) -> str:
    """Run `make`, as its user does, and return what it said; AssertionError if it fails."""
    running = subprocess.Popen(
        ["make", target],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = running.communicate()
    except BaseException:
        # It hands this on, so that nothing goes on making what is about to be deleted.
        running.terminate()
        running.wait()
        raise
    print(said)
    assert running.returncode == 0, f"make {target} ended with {running.returncode}"
    return said


@dataclass(frozen=True)
class Pod:
    name: str
    uid: str
    phase: str
    ready: bool
    labels: dict[str, str]


class Installation:
    """`settings` are of the ways in: the API, Trino and the stream's metrics at ports of this machine."""

    def __init__(self, cluster: Cluster, settings: LocalSettings) -> None:
        self.cluster = cluster
        self.settings = settings

    def pods(self, part: str = "") -> list[Pod]:
        """Those of a part, or all; without those that are about to end."""
        selector = ("--selector", SELECTORS[part]) if part else ()
        listed = json.loads(self.cluster.kubectl("get", "pods", "--output", "json", *selector))["items"]
        return [_pod(one) for one in listed if "deletionTimestamp" not in one["metadata"]]

    def delete_pod(self, part: str) -> None:
        """Delete a pod of a part, and wait until another is ready in its place."""
        victim = self.pods(part)[0]
        self.cluster.kubectl("delete", "pod", victim.name, "--wait=false")

        def replaced() -> object:
            now = {pod.uid: pod.ready for pod in self.pods(part)}
            return victim.uid not in now and any(now.values())

        wait_until(f"another pod instead of {victim.name}", replaced, PATIENCE, pause=1)

    def job_state(self, name: str) -> str:
        """What its operator says of a SparkApplication."""
        return jobs.state(self.cluster, name)

    def ask(self, query: str) -> list[list[Any]]:
        return sql.ask(self.settings, query)[1]

    def count(self) -> int:
        return sql.count(self.settings, EVENTS)

    def await_fresh_row(self) -> float:
        """Wait until an event that is sent now is visible; return the seconds it took."""
        progress = Progress()
        sent: list[tuple[int, int]] = []

        def acknowledged() -> bool:
            sent[:] = self._send()
            return bool(sent)

        wait_until("an acknowledgement", acknowledged, PATIENCE, pause=0.5)
        wait_until(f"the row of {sent[0]}", lambda: self._visible(*sent[0]), PATIENCE, pause=1)
        return progress.seconds

    def differences(self) -> dict[tuple[str, str], list[str]]:
        """Between what players were told, the topic offset by offset, the table and its views."""
        stages = ledger.ledger(self.cluster, self.settings, wait=PATIENCE)
        assert all(stage.compared for stage in stages), "nothing was compared"
        return {
            (stage.name, name): [f"{kind.count} in all", *kind.samples]
            for stage in stages
            for name, kind in stage.differences.items()
            if kind.count
        }

    def _send(self) -> list[tuple[int, int]]:
        """Where the event lies, if it was acknowledged."""
        connection = http.client.HTTPConnection(HOST, self.settings.ports.api, timeout=10)
        try:
            connection.request("POST", "/purchase_a_sword", headers={"Host": "probe", "Accept": "application/json"})
            answer = json.loads(connection.getresponse().read())
            return [(answer["partition"], answer["offset"])]
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return []
        finally:
            connection.close()

    def _visible(self, partition: int, offset: int) -> bool:
        query = f"SELECT 1 FROM {EVENTS} WHERE kafka_partition = {partition} AND kafka_offset = {offset}"
        try:
            return bool(self.ask(query))
        except (trino.exceptions.Error, OSError):
            return False


def _pod(described: dict[str, Any]) -> Pod:
    metadata, status = described["metadata"], described["status"]
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", []))
    return Pod(metadata["name"], metadata["uid"], status["phase"], ready, metadata.get("labels", {}))
