"""Which cluster to use, and what is installed in it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from game_settings.reader import read, setting

from testbed.cluster.command import KindError
from testbed.settings import Settings as LocalSettings
from testbed.settings import SettingsError

OPERATORS = ("real", "standin", "installed")


def _name(variable: str) -> Any:  # noqa: ANN401 as dataclasses.field
    expected = "lower-case letters, digits and hyphens"
    return setting(variable, "gamelake", pattern=r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", expected=expected)


@dataclass(frozen=True)
class Settings:
    # A folder of this cluster's own, below GAMELAKE_DATA.
    data: Path
    cluster: str = _name("CLUSTER")
    namespace: str = _name("NAMESPACE")
    # Beside the machine of the control plane, unless it is the only one.
    machines: int = setting("MACHINES", 1, least=1, most=3, expected="1 or 3")
    # Empty: what the cluster has, or else the stand-ins or the real ones, whichever can be installed.
    operators: str = setting("OPERATORS", "", choices=OPERATORS)
    # Empty: the newest image of a node that this machine has.
    node_image: str = setting("KIND_NODE_IMAGE", "")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment, or raise KindError."""
        try:
            data = LocalSettings.from_environment(environment).data / "kind"
            chosen = read(cls, environment, data=data)
        except SettingsError as error:
            raise KindError(str(error)) from None
        if chosen.machines == 2:
            raise KindError("MACHINES: expected 1 or 3, got '2'")
        return replace(chosen, data=data / chosen.cluster)
