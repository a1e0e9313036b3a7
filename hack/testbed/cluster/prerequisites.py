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
# A machine with 10 GiB reports somewhat less. Each further machine has copies of the servers, and of the images.
_MEMORY = {1: 10 * _GB, 3: 18 * _GB}
_FREE_MEMORY = {1: 7 * _GB, 3: 12 * _GB}
"""Memory of the cluster in its steady state, including the stream and one more job, by the number of its machines."""
_DISK = {1: 15 * _GB, 3: 30 * _GB}


def missing() -> list[str]:
    """Return a line for each tool that is not installed, and one if no container engine answers."""
    lines = [f"{tool} is not on the PATH: {how}" for tool, how in _TOOLS.items() if not shutil.which(tool)]
    if shutil.which("docker") and _engine() is None:
        lines.append("no container engine answers (docker info): start Docker, and check that you may use it")
    return lines


def check_tools() -> None:
    if lines := missing():
        raise KindError("\n".join(lines))


def check_capacity(machines: int) -> None:
    """Check that the engine has the memory and disk for a new cluster of so many machines."""
    engine = _engine() or {}
    free_memory = psutil.virtual_memory().available
    lines = too_little(engine.get("MemTotal", 0), free_memory, _free_disk(engine), machines)
    if lines:
        raise KindError("\n".join(lines))


def too_little(memory: int, free_memory: int, free_disk: int, machines: int = 1) -> list[str]:
    """Return a line for each resource of which there is too little."""
    lines = []
    if memory < _MEMORY[machines]:
        total = f"the engine has {memory / _GB:.1f} GB of memory"
        lines.append(f"{total}, the cluster needs {_MEMORY[machines] // _GB}: give it more")
    elif free_memory < _FREE_MEMORY[machines]:
        free = f"{free_memory / _GB:.1f} GB of memory are free"
        needed = _FREE_MEMORY[machines] // _GB
        lines.append(f"{free}, the cluster needs {needed}: stop something, the local stack by make down")
    if free_disk < _DISK[machines]:
        free = f"{free_disk / _GB:.1f} GB of the engine's disk are free"
        lines.append(f"{free}, images and volumes need {_DISK[machines] // _GB}: docker system prune frees some")
    return lines


def _free_disk(engine: dict[str, Any]) -> int:
    root = Path(engine.get("DockerRootDir", "/"))
    return shutil.disk_usage(root if root.exists() else "/").free


def _engine() -> dict[str, Any] | None:
    """Return what `docker info` reports; None if the engine does not answer."""
    done = subprocess.run(["docker", "info", "--format", "{{json .}}"], capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout)) if done.returncode == 0 else None
