"""What `make kind` decides before it touches anything, and what it says while it waits."""

import json
from pathlib import Path
from typing import Any

import pytest
from testbed.cluster import prerequisites
from testbed.cluster.cluster import Cluster, newest
from testbed.cluster.command import KindError, run
from testbed.cluster.conditions import reasons
from testbed.cluster.progress import Progress
from testbed.cluster.settings import Settings
from testbed.cluster.waiting import await_all
from testbed.settings import ROOT

GB = 1_000_000_000


def test_settings_of_the_environment():
    """Cluster, namespace and operators are as they are asked for; each cluster has a folder of its own."""
    settings = Settings.from_environment({"CLUSTER": "mine", "NAMESPACE": "game", "OPERATORS": "standin"})
    assert (settings.cluster, settings.namespace, settings.operators) == ("mine", "game", "standin")
    assert settings.data == ROOT / ".local/kind/mine"
    assert Settings.from_environment({}).data == ROOT / ".local/kind/gamelake"


@pytest.mark.parametrize(("variable", "value"), [("OPERATORS", "fake"), ("CLUSTER", "My Cluster"), ("NAMESPACE", "-")])
def test_a_setting_that_cannot_be_is_named(variable: str, value: str):
    """What is set wrongly is refused by the variable's name, with its value."""
    with pytest.raises(KindError, match=f"^{variable}: expected .*'{value}'$"):
        Settings.from_environment({variable: value})


def test_the_newest_node_image():
    """Of the node images that are there the highest version is taken, by its numbers; without any, kind chooses."""
    assert newest(["v1.9.0", "v1.36.3", "v1.10.1", "<none>", "latest"]) == "kindest/node:v1.36.3"
    assert newest(["<none>"]) == newest([]) == ""


@pytest.mark.parametrize(
    ("memory", "free_memory", "free_disk", "said"),
    [
        (16, 12, 40, []),
        (8, 7, 40, ["the engine has 8.0 GB of memory, the cluster needs 10: give it more"]),
        (16, 3, 40, ["3.0 GB of memory are free, the cluster takes 7: stop something, the local stack by make down"]),
        (
            16,
            12,
            5,
            ["5.0 GB of the engine's disk are free, images and volumes need 15: docker system prune frees some"],
        ),
    ],
)
def test_too_little_room(memory: int, free_memory: int, free_disk: int, said: list[str]):
    """Memory and disk that do not suffice are named, with what is there and what is needed."""
    assert prerequisites.too_little(memory * GB, free_memory * GB, free_disk * GB) == said


def test_tools_that_are_missing(monkeypatch: pytest.MonkeyPatch):
    """Every tool that is not there is named, with how to get it."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert [line.split(" ")[0] for line in prerequisites.missing()] == ["docker", "kind", "kubectl", "helm"]
    assert all(": " in line for line in prerequisites.missing())


def test_a_command_that_fails_says_why():
    """The error has the command, how it ended, and what it said."""
    with pytest.raises(KindError, match=r"^bash -c echo no >&2; exit 3 ended with 3:\nno$"):
        run("bash", "-c", "echo no >&2; exit 3")


def resource(kind: str, name: str, **status: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    return {"kind": kind, "metadata": {"name": name}, "status": status}


TOPIC = resource(
    "KafkaTopic",
    "events",
    conditions=[
        {
            "type": "NotReady",
            "status": "True",
            "reason": "NotSupported",
            "message": "Decreasing partitions not supported",
        }
    ],
)
READY = resource(
    "Kafka", "events", conditions=[{"type": "Ready", "status": "True"}, {"type": "Warning", "status": "True"}]
)
PODS = [
    resource("Pod", "starts", containerStatuses=[{"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}}]),
    resource("Pod", "runs", containerStatuses=[{"name": "a", "state": {"running": {}}}]),
    resource(
        "Pod",
        "pulls",
        containerStatuses=[
            {"name": "a", "state": {"waiting": {"reason": "ErrImagePull", "message": "no such\n image"}}}
        ],
    ),
    resource(
        "Pod",
        "waits",
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}],
    ),
]


def test_why_something_is_not_ready():
    """What operators, scheduler and kubelet complain of is told by kind and name; what is ready or starts is not."""
    untouched = {"kind": "KafkaUser", "metadata": {"name": "api"}}
    failed = resource("Kafka", "other", conditions=[{"type": "Ready", "status": "False", "reason": "Timeout"}])
    assert reasons([TOPIC, READY, untouched, failed, *PODS]) == [
        "KafkaTopic events: NotReady: Decreasing partitions not supported",
        "KafkaUser api: its operator has not looked at it yet",
        "Kafka other: NotReady: Timeout",
        "Pod pulls: a: ErrImagePull: no such image",
        "Pod waits: Unschedulable: 0/1 nodes",
    ]


def test_waiting_says_what_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """While something is not ready its condition is printed, once, and the error at the end has it too."""
    (tmp_path / "conditions.json").write_text(json.dumps({"items": [TOPIC, READY]}))
    kubectl = tmp_path / "kubectl"
    # A wait that comes to nothing after the conditions have been asked for.
    kubectl.write_text(
        f"""#!/usr/bin/env bash
case "$*" in
  *" get "*) cat {tmp_path}/conditions.json; touch {tmp_path}/asked ;;
  *) until [[ -e {tmp_path}/asked ]]; do sleep 0.05; done; echo "timed out waiting"; exit 1 ;;
esac
"""
    )
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    cluster = Cluster(Settings.from_environment({}))
    with pytest.raises(KindError) as error:
        await_all(cluster, {"topic": ("wait", "kafkatopics", "--all")}, Progress())
    said = "KafkaTopic events: NotReady: Decreasing partitions not supported"
    assert str(error.value) == f"topic is not ready: timed out waiting\n  {said}"
    assert capsys.readouterr().out.count(said) == 1
