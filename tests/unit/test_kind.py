"""What `make kind` decides before it touches anything."""

import pytest
from kind import prerequisites
from kind.cluster import newest
from kind.command import KindError, run
from kind.settings import Settings
from local.settings import ROOT

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
