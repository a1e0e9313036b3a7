"""`make kind`: its settings, its prerequisites, and the reasons that it prints while it waits."""

from typing import Any

import pytest
import yaml
from testbed.cluster import prerequisites
from testbed.cluster.cluster import newest
from testbed.cluster.command import KindError, run
from testbed.cluster.conditions import reasons
from testbed.cluster.machines import configuration, kept_storage
from testbed.cluster.settings import Settings
from testbed.settings import ROOT

GB = 1_000_000_000


def test_settings_of_the_environment():
    """The environment sets cluster, namespace and operators; each cluster has its own folder."""
    settings = Settings.from_environment({"CLUSTER": "mine", "NAMESPACE": "game", "OPERATORS": "standin"})
    assert (settings.cluster, settings.namespace, settings.operators) == ("mine", "game", "standin")
    assert settings.data == ROOT / ".local/kind/mine"
    assert Settings.from_environment({}).data == ROOT / ".local/kind/gamelake"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OPERATORS", "fake"), ("CLUSTER", "My Cluster"), ("NAMESPACE", "-"), ("MACHINES", "2"), ("MACHINES", "5")],
)
def test_an_invalid_setting_is_named(variable: str, value: str):
    """The error has the name and the value of the variable."""
    with pytest.raises(KindError, match=f"^{variable}: expected .*'{value}'$"):
        Settings.from_environment({variable: value})


def test_a_cluster_of_several_machines():
    """Workers are in zones of their own; the machine of the control plane keeps the volumes of a storage class."""
    assert configuration(1)["nodes"] == [{"role": "control-plane"}]
    control_plane, *workers = configuration(3)["nodes"]
    assert [worker["labels"] for worker in workers] == [{"topology.kubernetes.io/zone": zone} for zone in "abc"]
    [topology] = kept_storage()["allowedTopologies"]
    assert {one["key"]: one["values"][0] for one in topology["matchLabelExpressions"]} == control_plane["labels"]
    [patch] = control_plane["kubeadmConfigPatches"]
    assert yaml.safe_load(patch)["nodeRegistration"]["taints"][0]["effect"] == "PreferNoSchedule"


def test_the_newest_node_image():
    """The node image with the highest version number is used; without any, kind chooses."""
    assert newest(["v1.9.0", "v1.36.3", "v1.10.1", "<none>", "latest"]) == "kindest/node:v1.36.3"
    assert newest(["<none>"]) == newest([]) == ""


@pytest.mark.parametrize(
    ("memory", "free_memory", "free_disk", "problems"),
    [
        (16, 12, 40, []),
        (8, 7, 40, ["the engine has 8.0 GB of memory, the cluster needs 10: give it more"]),
        (16, 3, 40, ["3.0 GB of memory are free, the cluster needs 7: stop something, the local stack by make down"]),
        (
            16,
            12,
            5,
            ["5.0 GB of the engine's disk are free, images and volumes need 15: docker system prune frees some"],
        ),
    ],
)
def test_too_little_memory_or_disk(memory: int, free_memory: int, free_disk: int, problems: list[str]):
    """Insufficient memory or disk is reported with the available and the required amount."""
    assert prerequisites.too_little(memory * GB, free_memory * GB, free_disk * GB) == problems


def test_missing_tools(monkeypatch: pytest.MonkeyPatch):
    """Every missing tool is named, with how to get it."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert [line.split(" ")[0] for line in prerequisites.missing()] == ["docker", "kind", "kubectl", "helm"]
    assert all(": " in line for line in prerequisites.missing())


def test_a_failed_command():
    """The error has the command, its exit code and its output."""
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
    """Each problem is reported with kind and name; objects that are ready or starting are not reported."""
    untouched = {"kind": "KafkaUser", "metadata": {"name": "api"}}
    failed = resource("Kafka", "other", conditions=[{"type": "Ready", "status": "False", "reason": "Timeout"}])
    assert reasons([TOPIC, READY, untouched, failed, *PODS]) == [
        "KafkaTopic events: NotReady: Decreasing partitions not supported",
        "KafkaUser api: its operator has not reconciled it yet",
        "Kafka other: NotReady: Timeout",
        "Pod pulls: a: ErrImagePull: no such image",
        "Pod waits: Unschedulable: 0/1 nodes",
    ]
