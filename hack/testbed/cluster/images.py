"""The images of this tree: built, and taken to the cluster's node."""

import json
import os
import tomllib
from collections.abc import Sequence

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import run, show
from testbed.settings import ROOT

_LOADED = "/kind/gamelake-images.json"
"""Of the node, with which it goes."""


def names() -> list[str]:
    return [
        f"gamelake/{file.parent.name}"
        for file in sorted(ROOT.glob("images/*/Dockerfile"))
        if file.parent.name != "base"
    ]


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def tags() -> list[str]:
    return [f"{name}:{version()}" for name in names()]


def build() -> None:
    """Minutes at first, seconds when nothing has changed."""
    # Those that charts and jobs name by default.
    environment = {name: value for name, value in os.environ.items() if name not in ("IMAGE_PREFIX", "IMAGE_TAG")}
    show(ROOT / "hack/build-images", environment=environment)


def missing(cluster: Cluster) -> list[str]:
    """Those that the node does not have as they are now."""
    there = _noted(cluster)
    return [tag for tag, id_ in _built().items() if there.get(tag) != id_]


def load(cluster: Cluster, chosen: Sequence[str]) -> None:
    """Take them to the node, all at once: layers that they share are taken once."""
    run("kind", "load", "docker-image", "--name", cluster.name, *chosen)


def note(cluster: Cluster) -> None:
    """Have the node remember what it was given, when all that runs there runs with it."""
    run("docker", "exec", "--interactive", cluster.node, "tee", _LOADED, given=json.dumps(_built()))


def _built() -> dict[str, str]:
    ids = run("docker", "image", "inspect", "--format", "{{.Id}}", *tags()).split()
    return dict(zip(tags(), ids, strict=True))


def _noted(cluster: Cluster) -> dict[str, str]:
    """The id of each image as it was loaded: the node knows it by another one, which not every engine tells."""
    noted = run("docker", "exec", cluster.node, "sh", "-c", f"[ ! -e {_LOADED} ] || cat {_LOADED}")
    return dict(json.loads(noted or "{}"))
