"""Which cluster, and what is in it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.cluster.command import KindError
from testbed.settings import Settings as LocalSettings

OPERATORS = ("real", "standin", "installed")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True)
class Settings:
    """`data` is a folder of this cluster's own; `operators` and `node_image` are empty where none was asked for."""

    data: Path
    cluster: str = "gamelake"
    namespace: str = "gamelake"
    operators: str = ""
    node_image: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """`CLUSTER`, `NAMESPACE` (both gamelake), `OPERATORS`, `KIND_NODE_IMAGE`, `GAMELAKE_DATA` (.local)."""
        cluster = _name(environment, "CLUSTER", cls.cluster)
        operators = environment.get("OPERATORS", "")
        if operators and operators not in OPERATORS:
            raise KindError(f"OPERATORS: expected one of {', '.join(OPERATORS)}, got {operators!r}")
        return cls(
            data=LocalSettings.from_environment(environment).data / "kind" / cluster,
            cluster=cluster,
            namespace=_name(environment, "NAMESPACE", cls.namespace),
            operators=operators,
            node_image=environment.get("KIND_NODE_IMAGE", ""),
        )


def _name(environment: Mapping[str, str], variable: str, default: str) -> str:
    name = environment.get(variable) or default
    if not _NAME.fullmatch(name):
        raise KindError(f"{variable}: expected lower-case letters, digits and hyphens, got {name!r}")
    return name
