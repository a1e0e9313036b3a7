"""The client of the cluster, against an API server that speaks as much of the protocol as it needs."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from testbed.bench.cluster import LOAD, load_input
from testbed.cluster import jobs
from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.operators import install
from testbed.cluster.port_forward import has_to_be_left
from testbed.cluster.progress import Progress
from testbed.cluster.readiness import all_current, all_ready, all_rolled_out, is_ready, is_rolled_out
from testbed.cluster.settings import Settings
from testbed.cluster.waiting import await_all

from tests.unit.testbed.kubernetes_api import KubernetesApi, Object

READY = {"type": "Ready", "status": "True"}
NOT_SUPPORTED = {"type": "NotReady", "status": "True", "message": "Decreasing partitions not supported"}


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(Settings.from_environment({"GAMELAKE_DATA": str(tmp_path)}))


@pytest.fixture
def server(cluster: Cluster) -> Iterator[KubernetesApi]:
    with KubernetesApi(cluster.kubeconfig) as api:
        yield api


def thing(kind: str, name: str, **status: Any) -> Object:  # noqa: ANN401 any JSON
    return {"kind": kind, "metadata": {"name": name, "uid": name, "generation": 1}, "status": status}


def test_an_object_that_does_not_exist(cluster: Cluster, server: KubernetesApi) -> None:
    """Reading it returns None, and deleting it is an error with the API server's message."""
    server.put(thing("Pod", "api-1"))
    assert cluster.api.get("Pod", "api-2") is None
    assert [one["metadata"]["name"] for one in cluster.api.find("Pod")] == ["api-1"]
    with pytest.raises(KindError, match=r"^StorageClass: No matches found"):
        cluster.api.find("StorageClass")


def test_no_kubeconfig(cluster: Cluster) -> None:
    """A cluster that was never created is an error that its user understands."""
    with pytest.raises(KindError, match="kube-config"):
        cluster.api.find("Pod")


def test_apply_labels_a_namespace(cluster: Cluster, server: KubernetesApi) -> None:
    """An applied object can be read again."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "operators", "labels": {"a": "b"}}}
    cluster.api.apply(namespace)
    assert (cluster.api.get("Namespace", "operators") or {})["metadata"]["labels"] == {"a": "b"}
    assert server.objects["Namespace"].keys() == {"operators"}


def test_a_wait_ends_with_the_change(cluster: Cluster, server: KubernetesApi) -> None:
    """The watch reports changes and deletions of what the list had."""
    server.put(thing("KafkaTopic", "events"), thing("Pod", "stream-driver"))
    server.events["KafkaTopic"].put({"type": "MODIFIED", "object": thing("KafkaTopic", "events", conditions=[READY])})
    cluster.api.wait("KafkaTopic", all_ready, 10)
    server.events["Pod"].put({"type": "DELETED", "object": thing("Pod", "stream-driver")})
    cluster.api.wait("Pod", lambda pods: not pods, 10, name="stream-driver")


def test_an_expired_watch_starts_again(cluster: Cluster, server: KubernetesApi) -> None:
    """When the API server no longer has the version at which a watch starts, the client lists again."""
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    server.events["Pod"].put({"type": "ERROR", "object": gone})
    server.events["Pod"].put({"type": "ADDED", "object": thing("Pod", "api", conditions=[READY])})
    cluster.api.wait("Pod", all_ready, 10)


def test_a_wait_times_out(cluster: Cluster, server: KubernetesApi) -> None:
    """The error says what it waited for, and for how long."""
    with pytest.raises(TimeoutError, match=r"^waited 1 s for Pod api$"):
        cluster.api.wait("Pod", all_ready, 1, name="api")


@pytest.mark.usefixtures("server")
def test_a_command_in_a_pod(cluster: Cluster) -> None:
    """Its standard input and its output are complete, whatever their size and wherever characters are cut."""
    text = "é" * 100_000
    assert cluster.execute("api", "cat", stdin=text) == text
    assert cluster.execute("api", "echo", "one") == "one\n"
    assert cluster.execute("api", "printenv", "CONTAINER", container="zkfc") == "zkfc\n"


@pytest.mark.usefixtures("server")
def test_a_failed_command_in_a_pod(cluster: Cluster) -> None:
    """The error has the pod, the exit code and what the command wrote to its standard error."""
    with pytest.raises(KindError, match=r"^sh in pod api: exit code 3\nno$"):
        cluster.execute("api", "sh", "-c", "echo yes; echo no >&2; exit 3")


def test_waits_report_conditions(cluster: Cluster, server: KubernetesApi, capsys: pytest.CaptureFixture[str]) -> None:
    """While something is not ready its condition is printed, once, and the error at the end has it too."""
    server.put(thing("KafkaTopic", "events", conditions=[NOT_SUPPORTED]), thing("Kafka", "events", conditions=[READY]))

    def fails() -> None:
        # After the conditions have been queried.
        server.lists["Pod"].wait(10)
        raise TimeoutError("waited 1 s")

    waits = {"kafka": partial(cluster.api.wait, "Kafka", all_ready, 10), "topic": fails}
    with pytest.raises(KindError) as error:
        await_all(cluster, waits, Progress())
    reason = "KafkaTopic events: NotReady: Decreasing partitions not supported"
    assert str(error.value) == f"topic is not ready: waited 1 s\n  {reason}"
    output = capsys.readouterr().out
    assert output.count(reason) == 1
    assert output.count("kafka ready") == 1


def test_a_job_reports_its_states(cluster: Cluster, server: KubernetesApi, capsys: pytest.CaptureFixture[str]) -> None:
    """Each state is printed once; a job that fails is an error with the operator's message."""
    server.put(thing("SparkApplication", "tables", applicationState={"state": ""}))
    for state in ({"state": "SUBMITTED"}, {"state": "PENDING_RERUN"}, {"state": "FAILED", "errorMessage": "no lake"}):
        changed = thing("SparkApplication", "tables", applicationState=state)
        server.events["SparkApplication"].put({"type": "MODIFIED", "object": changed})
    with pytest.raises(KindError, match=r"^job tables failed: no lake$"):
        jobs.await_state(cluster, "tables", "COMPLETED", Progress())
    states = [line.partition("] ")[2] for line in capsys.readouterr().out.splitlines()]
    assert states == ["tables submitted", "tables pending rerun", "tables failed"]
    with pytest.raises(KindError, match=r"^SparkApplication batch does not exist$"):
        jobs.state(cluster, "batch")


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({}, False),
        ({"conditions": [READY]}, True),
        ({"conditions": [{"type": "Ready", "status": "False"}]}, False),
        ({"conditions": [READY], "observedGeneration": 1}, True),
        # The operator has not seen the latest change.
        ({"conditions": [READY], "observedGeneration": 0}, False),
    ],
)
def test_ready(status: Object, ready: bool) -> None:
    """An object is ready when its condition says so for its current generation."""
    assert is_ready(thing("KafkaTopic", "events", **status)) is ready
    assert not all_ready([])


def forwarded(uid: str, ready: str, *deleted: str) -> Object:
    one = thing("Pod", uid, conditions=[{"type": "Ready", "status": ready}])
    one["metadata"] |= dict.fromkeys(deleted, "2026-01-01T00:00:00Z")
    return one


@pytest.mark.parametrize(
    ("pods", "left"),
    [
        ([forwarded("a", "True")], False),
        ([forwarded("b", "True")], True),
        ([], True),
        # Its machine does not answer.
        ([forwarded("a", "False", "deletionTimestamp"), forwarded("b", "True")], True),
        ([forwarded("a", "False"), forwarded("b", "False")], False),
        ([forwarded("a", "False"), forwarded("b", "True", "deletionTimestamp")], False),
        ([forwarded("a", "True", "deletionTimestamp"), forwarded("b", "True")], False),
    ],
)
def test_a_forward_leaves_its_pod(pods: list[Object], left: bool) -> None:
    """Once it has gone, or is not ready while another one is: as long as it can, a forward keeps its connections."""
    assert has_to_be_left("a", pods) is left


CURRENT = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
REVISIONS = {"currentRevision": "b", "updateRevision": "b"}


@pytest.mark.parametrize(
    ("kind", "changes", "rolled_out"),
    [
        ("Deployment", {}, True),
        ("Deployment", {"observedGeneration": 0}, False),
        ("Deployment", {"updatedReplicas": 1}, False),
        ("Deployment", {"replicas": 3}, False),
        ("Deployment", {"availableReplicas": 1}, False),
        ("StatefulSet", {}, True),
        ("StatefulSet", {"observedGeneration": 0}, False),
        ("StatefulSet", {"readyReplicas": 1}, False),
        ("StatefulSet", {"currentRevision": "a"}, False),
    ],
)
def test_rolled_out(kind: str, changes: Object, rolled_out: bool) -> None:
    """A workload is rolled out when all of its pods, and no others, run the current template."""
    workload = thing(kind, "api", **(CURRENT | REVISIONS | changes)) | {"spec": {"replicas": 2}}
    assert is_rolled_out(workload) is rolled_out
    assert not all_rolled_out([])


def node(pool: str, generation: str, ready: str = "True") -> Object:
    one = thing("Pod", f"events-{pool}-0", conditions=[{"type": "Ready", "status": ready}])
    one["metadata"] |= {"labels": {"strimzi.io/pool-name": pool}, "annotations": {"gamelake/generation": generation}}
    return one


@pytest.mark.parametrize(
    ("pods", "current"),
    [
        ([node("broker", "new"), node("broker", "new"), node("controller", "a")], True),
        # The roll has not begun, is under way, or has not ended.
        ([node("broker", "old"), node("broker", "old"), node("controller", "a")], False),
        ([node("broker", "old"), node("broker", "new"), node("controller", "a")], False),
        ([node("broker", "new"), node("broker", "new", "False"), node("controller", "a")], False),
        ([node("broker", "new"), node("controller", "a")], False),
        ([node("broker", "new"), node("broker", "new")], False),
        ([], False),
    ],
)
def test_nodes_of_kafka_are_current(pods: list[Object], current: bool) -> None:
    """Each pool has all of its pods, ready and of its generation, whatever the Kafka resource says."""
    pools = [
        thing("KafkaNodePool", name)
        | {"spec": {"replicas": count, "template": {"pod": {"metadata": {"annotations": {"gamelake/generation": of}}}}}}
        for name, count, of in (("broker", 2, "new"), ("controller", 1, "a"))
    ]
    assert all_current(pools, pods) is current
    assert not all_current([], pods)


def test_a_failed_rollout() -> None:
    """A Deployment that exceeds its progress deadline is an error."""
    failed = thing("Deployment", "api", observedGeneration=1, conditions=[{"reason": "ProgressDeadlineExceeded"}])
    with pytest.raises(KindError, match="progress deadline"):
        is_rolled_out(failed | {"spec": {}})


@pytest.mark.parametrize(
    ("labels", "operators", "error"),
    [
        ({"gamelake-watched": "other"}, "", "^NAMESPACE: the cluster's operators watch other only"),
        ({"gamelake-watched": "gamelake", "gamelake-operators": "real"}, "standin", "^OPERATORS: the cluster has real"),
        (None, "standin", "that make kind did not install"),
        (None, "installed", "no definition of sparkapplications.sparkoperator.k8s.io$"),
        ({"gamelake-watched": "gamelake", "gamelake-operators": "real"}, "", None),
    ],
)
def test_operators_that_exist(
    cluster: Cluster, server: KubernetesApi, labels: Object | None, operators: str, error: str | None
) -> None:
    """Operators that are installed are used, or the error says why they cannot be."""
    server.put(thing("CustomResourceDefinition", "kafkas.kafka.strimzi.io"))
    server.put(thing("RoleBinding", "operator") | {"subjects": [{"name": "strimzi", "namespace": "operators"}]})
    if labels:
        server.put({"kind": "Namespace", "metadata": {"name": "operators", "labels": labels}})
    environment = {"GAMELAKE_DATA": str(cluster.settings.data.parents[1]), "OPERATORS": operators}
    chosen = Cluster(Settings.from_environment(environment))
    if error is None:
        install.ensure(chosen, Progress())
        return
    with pytest.raises(KindError, match=error):
        install.ensure(chosen, Progress())


def test_operators_without_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Operators whose roles were deleted with the namespace are installed again, with the charts' names of images."""
    for tool in ("helm", "kubectl"):
        (tmp_path / tool).write_text('#!/bin/sh\necho "$(basename "$0") $* $IMAGE_REGISTRY"\n')
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("IMAGE_REGISTRY", "registry.example/")
    cluster = Cluster(Settings.from_environment({"GAMELAKE_DATA": str(tmp_path)}))
    with KubernetesApi(cluster.kubeconfig) as server:
        labels = {"gamelake-watched": "gamelake", "gamelake-operators": "real"}
        server.put({"kind": "Namespace", "metadata": {"name": "operators", "labels": labels}})
        server.put(thing("RoleBinding", "spark") | {"subjects": [{"name": "spark", "namespace": "gamelake"}]})
        install.ensure(cluster, Progress())
    output = capfd.readouterr().out
    assert "operators: real (their rights in namespace gamelake are gone)" in output
    assert "helm upgrade --install --namespace operators --create-namespace --wait --timeout 15m strimzi" in output
    assert "registry.example/" not in output


class Ok(BaseHTTPRequestHandler):
    """Answers every GET with 200."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


def test_the_load_generator_runs_alone(tmp_path: Path) -> None:
    """It needs only the standard library, and its standard input: no other module of ours is in the API's pod."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ok) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [sys.executable, "-I", "-S", "-c", LOAD, str(server.server_port), "4", "3"]
        done = subprocess.run(command, input=load_input(), capture_output=True, text=True, check=True, cwd=tmp_path)
        server.shutdown()
    assert json.loads(done.stdout)["microseconds"].keys() == {"200"}
