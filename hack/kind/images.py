"""The images of this tree: built, and taken to the cluster's node."""

import json
import tomllib

from local.settings import ROOT

from kind.cluster import Cluster
from kind.command import run, show

_LOADED = "/kind/gamelake-images.json"
"""Of the node, with which it goes."""


def names() -> list[str]:
    return [f"gamelake/{file.parent.name}" for file in sorted(ROOT.glob("images/*/Dockerfile"))]


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def build() -> None:
    """Minutes at first, seconds when nothing has changed."""
    show(ROOT / "hack/build-images")


def load_missing(cluster: Cluster) -> list[str]:
    """Take those to the node that it does not have as they are now; return which."""
    tags = [f"{name}:{version()}" for name in names()]
    ids = run("docker", "image", "inspect", "--format", "{{.Id}}", *tags).split()
    now, there = dict(zip(tags, ids, strict=True)), _loaded(cluster)
    missing = [tag for tag, id_ in now.items() if there.get(tag) != id_]
    if missing:
        # All at once: layers that they share are taken once.
        run("kind", "load", "docker-image", "--name", cluster.name, *missing)
        run("docker", "exec", "--interactive", cluster.node, "tee", _LOADED, given=json.dumps(now))
    return missing


def _loaded(cluster: Cluster) -> dict[str, str]:
    """The id of each image as it was loaded: the node knows it by another one, which not every engine tells."""
    noted = run("docker", "exec", cluster.node, "sh", "-c", f"[ ! -e {_LOADED} ] || cat {_LOADED}")
    return dict(json.loads(noted or "{}"))
