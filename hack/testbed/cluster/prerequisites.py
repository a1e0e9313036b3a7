"""What must be there before anything is begun."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil

from testbed.cluster.command import KindError

_TOOLS = {
    "docker": "install Docker Engine, see docs.docker.com/engine/install",
    "kind": "go install sigs.k8s.io/kind@latest, or see kind.sigs.k8s.io",
    "kubectl": "see kubernetes.io/docs/tasks/tools",
    "helm": "see helm.sh/docs/intro/install",
}

_GB = 1_000_000_000
# A machine of 10 GiB shows somewhat less.
_MEMORY = 10 * _GB
_FREE_MEMORY = 7 * _GB
"""What the cluster takes when it has settled, the stream and one more job included."""
_DISK = 15 * _GB


def missing() -> list[str]:
    """What stands in the way of any cluster, in words: tools that are not there, an engine that does not answer."""
    said = [f"{tool} is not on the PATH: {how}" for tool, how in _TOOLS.items() if not shutil.which(tool)]
    if shutil.which("docker") and _engine() is None:
        said.append("no container engine answers (docker info): start Docker, and see that you may use it")
    return said


def check_tools() -> None:
    if said := missing():
        raise KindError("\n".join(said))


def check_room() -> None:
    """Whether the engine has room for a new cluster."""
    engine = _engine() or {}
    said = too_little(engine.get("MemTotal", 0), psutil.virtual_memory().available, _free_disk(engine))
    if said:
        raise KindError("\n".join(said))


def too_little(memory: int, free_memory: int, free_disk: int) -> list[str]:
    """What there is too little of, in words."""
    said = []
    if memory < _MEMORY:
        said.append(f"the engine has {memory / _GB:.1f} GB of memory, the cluster needs {_MEMORY // _GB}: give it more")
    elif free_memory < _FREE_MEMORY:
        free = f"{free_memory / _GB:.1f} GB of memory are free"
        said.append(f"{free}, the cluster takes {_FREE_MEMORY // _GB}: stop something, the local stack by make down")
    if free_disk < _DISK:
        free = f"{free_disk / _GB:.1f} GB of the engine's disk are free"
        said.append(f"{free}, images and volumes need {_DISK // _GB}: docker system prune frees some")
    return said


def _free_disk(engine: dict[str, Any]) -> int:
    root = Path(engine.get("DockerRootDir", "/"))
    return shutil.disk_usage(root if root.exists() else "/").free


def _engine() -> dict[str, Any] | None:
    """What the engine says of itself; None if it does not answer."""
    done = subprocess.run(["docker", "info", "--format", "{{json .}}"], capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout)) if done.returncode == 0 else None
