"""Checks what a cluster needs, before anything is created."""

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
# A machine with 10 GiB reports somewhat less.
_MEMORY = 10 * _GB
_FREE_MEMORY = 7 * _GB
"""Memory of the cluster in its steady state, including the stream and one more job."""
_DISK = 15 * _GB


def missing() -> list[str]:
    """Return a line for each tool that is not installed, and one if no container engine answers."""
    lines = [f"{tool} is not on the PATH: {how}" for tool, how in _TOOLS.items() if not shutil.which(tool)]
    if shutil.which("docker") and _engine() is None:
        lines.append("no container engine answers (docker info): start Docker, and check that you may use it")
    return lines


def check_tools() -> None:
    if lines := missing():
        raise KindError("\n".join(lines))


def check_capacity() -> None:
    """Check that the engine has the memory and disk for a new cluster."""
    engine = _engine() or {}
    lines = too_little(engine.get("MemTotal", 0), psutil.virtual_memory().available, _free_disk(engine))
    if lines:
        raise KindError("\n".join(lines))


def too_little(memory: int, free_memory: int, free_disk: int) -> list[str]:
    """Return a line for each resource of which there is too little."""
    lines = []
    if memory < _MEMORY:
        total = f"the engine has {memory / _GB:.1f} GB of memory"
        lines.append(f"{total}, the cluster needs {_MEMORY // _GB}: give it more")
    elif free_memory < _FREE_MEMORY:
        free = f"{free_memory / _GB:.1f} GB of memory are free"
        lines.append(f"{free}, the cluster needs {_FREE_MEMORY // _GB}: stop something, the local stack by make down")
    if free_disk < _DISK:
        free = f"{free_disk / _GB:.1f} GB of the engine's disk are free"
        lines.append(f"{free}, images and volumes need {_DISK // _GB}: docker system prune frees some")
    return lines


def _free_disk(engine: dict[str, Any]) -> int:
    root = Path(engine.get("DockerRootDir", "/"))
    return shutil.disk_usage(root if root.exists() else "/").free


def _engine() -> dict[str, Any] | None:
    """Return what `docker info` reports; None if the engine does not answer."""
    done = subprocess.run(["docker", "info", "--format", "{{json .}}"], capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout)) if done.returncode == 0 else None
