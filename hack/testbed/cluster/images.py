"""Builds this tree's images and loads them into the cluster's nodes."""

import json
import os
import tomllib
from collections.abc import Mapping, Sequence

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import run, show
from testbed.settings import ROOT

_LOADED = "/kind/gamelake-images.json"
"""A file on the node, so that it is deleted with the node."""


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def tag(name: str) -> str:
    """Return an image's full name, which is the charts' default: no public registry has images of `localhost/`."""
    return f"localhost/gamelake/{name}:{version()}"


def tags() -> list[str]:
    folders = (file.parent.name for file in sorted(ROOT.glob("images/*/Dockerfile")))
    return [tag(name) for name in folders if name != "base"]


def build() -> None:
    """Build all images: minutes the first time, seconds when nothing has changed."""
    show(ROOT / "hack/build-images", environment=with_default_names(os.environ))


def with_default_names(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which scripts name images as charts and jobs do by default."""
    return {name: value for name, value in environment.items() if name not in ("IMAGE_REGISTRY", "IMAGE_TAG")}


def missing(cluster: Cluster) -> list[str]:
    """Return the images of which the nodes have no copy, or an older one."""
    loaded = _noted(cluster)
    return [tag for tag, id_ in _built().items() if loaded.get(tag) != id_]


def load(cluster: Cluster, chosen: Sequence[str]) -> None:
    """Load images into every node, all at once: layers that they share are loaded once."""
    run("kind", "load", "docker-image", "--name", cluster.name, *chosen)


def note(cluster: Cluster) -> None:
    """Record on a node which images all of them have, once every pod is to run with them."""
    run("docker", "exec", "--interactive", cluster.node, "tee", _LOADED, stdin=json.dumps(_built()))


def _built() -> dict[str, str]:
    ids = run("docker", "image", "inspect", "--format", "{{.Id}}", *tags()).split()
    return dict(zip(tags(), ids, strict=True))


def _noted(cluster: Cluster) -> dict[str, str]:
    """Return the recorded id of each image: the node's own id differs, and not every engine reports it."""
    noted = run("docker", "exec", cluster.node, "sh", "-c", f"[ ! -e {_LOADED} ] || cat {_LOADED}")
    return dict(json.loads(noted or "{}"))
