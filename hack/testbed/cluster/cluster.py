"""The cluster: made, deleted, and spoken to."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from testbed.cluster.command import KindError, run
from testbed.cluster.settings import Settings

RELEASE = "gamelake"
"""The name under which Helm knows what is installed."""


class Cluster:
    """One of kind's, with one node; everything said to it is said in the namespace of its settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.cluster
        self.namespace = settings.namespace
        self.node = f"{self.name}-control-plane"
        self.kubeconfig = settings.data / "kubeconfig"
        # Of its own, so that nothing depends on which cluster is the user's current one.
        self.environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "KIND_CLUSTER": self.name}

    @property
    def exists(self) -> bool:
        return self.name in run("kind", "get", "clusters").split()

    def create(self) -> None:
        # What is left of a cluster that was deleted otherwise.
        shutil.rmtree(self.settings.data, ignore_errors=True)
        image = self.settings.node_image or _newest_node_image()
        chosen = ["--image", image] if image else []
        run("kind", "create", "cluster", "--name", self.name, "--wait", "5m", *chosen)
        self.connect()

    def connect(self) -> None:
        """Find out how it is spoken to."""
        if not self.exists:
            raise KindError(f"there is no cluster {self.name}: make kind makes it")
        try:
            configuration = run("kind", "get", "kubeconfig", "--name", self.name)
        except KindError as error:
            hint = "If its node was stopped, with the engine or the machine: make kind-down, then make kind"
            raise KindError(f"{error}\n{hint}") from error
        self.settings.data.mkdir(parents=True, exist_ok=True)
        # It holds keys.
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(configuration)

    def delete(self) -> None:
        run("kind", "delete", "cluster", "--name", self.name)
        shutil.rmtree(self.settings.data, ignore_errors=True)

    def kubectl(self, *arguments: str | Path, given: str = "") -> str:
        return run("kubectl", "--namespace", self.namespace, *arguments, environment=self.environment, given=given)

    def apply(self, resource: dict[str, Any]) -> None:
        self.kubectl("apply", "--filename", "-", given=json.dumps(resource))

    def helm(self, *arguments: str | Path) -> str:
        return run("helm", "--namespace", self.namespace, *arguments, environment=self.environment)


def _newest_node_image() -> str:
    """The newest that the engine has, which needs no registry; empty, for kind's own choice, if it has none."""
    tags = run("docker", "image", "ls", "--format", "{{.Tag}}", "kindest/node").split()
    return newest(tags)


def newest(tags: list[str]) -> str:
    versions = {tag: tuple(map(int, re.findall(r"\d+", tag))) for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)}
    return f"kindest/node:{max(versions, key=versions.__getitem__)}" if versions else ""
