"""The machine of a measurement: its processor, its memory and the software that was measured."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from testbed.versions import versions

_PACKAGES = ("Flask", "gunicorn", "confluent-kafka")
_SERVERS = ("Kafka", "Spark", "Trino")
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Machine:
    """`software` maps a name to its version."""

    cpu: str
    cores: int
    memory_gb: int
    software: dict[str, str]

    def __str__(self) -> str:
        versions_used = ", ".join(f"{name} {number}" for name, number in self.software.items())
        return f"{self.cpu}, {self.cores} cores, {self.memory_gb} GB, shared by servers and clients; {versions_used}"


def this_machine() -> Machine:
    pinned = versions()
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 0,
        memory_gb=round(psutil.virtual_memory().total / 1e9),
        software={
            "Python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
            **{name: pinned[f"{name.upper()}_VERSION"] for name in _SERVERS},
        },
    )


def _cpu() -> str:
    """Return the processor's model, or its architecture where the system does not tell the model."""
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            name, _, model = line.partition(":")
            if name.strip() == "model name":
                return " ".join(model.split())
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.machine()
