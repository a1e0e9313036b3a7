"""A kind cluster: how it is created, deleted and reached."""

import json
import os
import re
import shutil
from pathlib import Path

from testbed.cluster.api import Api
from testbed.cluster.command import KindError, run
from testbed.cluster.execution import execute
from testbed.cluster.machines import configuration
from testbed.cluster.settings import Settings

RELEASE = "gamelake"
"""The name of the Helm release."""


class Cluster:
    """A kind cluster. `api`, kubectl and helm work in the namespace of its settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.cluster
        self.namespace = settings.namespace
        # The node of the control plane: if there is one machine, the only node.
        self.node = f"{self.name}-control-plane"
        # The cluster's own file, so that nothing depends on the user's current context.
        self.kubeconfig = settings.data / "kubeconfig"
        self.environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "KIND_CLUSTER": self.name}
        self.api = Api(self.kubeconfig, self.namespace)

    @property
    def exists(self) -> bool:
        return self.name in run("kind", "get", "clusters").split()

    @property
    def workers(self) -> list[str]:
        """The names of its nodes, which are those of their containers, without that of the control plane."""
        nodes = run("kind", "get", "nodes", "--name", self.name).split()
        return sorted(node for node in nodes if node != self.node)

    def create(self) -> None:
        # A cluster deleted by other means leaves its files behind.
        shutil.rmtree(self.settings.data, ignore_errors=True)
        image = self.settings.node_image or _newest_node_image()
        chosen = ["--image", image] if image else []
        # JSON is YAML.
        nodes = json.dumps(configuration(self.settings.machines))
        run("kind", "create", "cluster", "--name", self.name, "--wait", "5m", "--config", "-", *chosen, stdin=nodes)
        self.connect()

    def connect(self) -> None:
        """Write the kubeconfig."""
        if not self.exists:
            raise KindError(f"cluster {self.name} does not exist: make kind creates it")
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

    def kubectl(self, *arguments: str | Path) -> str:
        """Run a command that users type themselves; everything else goes through the Python client."""
        return run("kubectl", "--namespace", self.namespace, *arguments, environment=self.environment)

    def execute(self, pod: str, *command: str, stdin: str = "", container: str = "") -> str:
        """Run a command in a pod to its end and return what it printed; `stdin` is its standard input.

        A pod with several containers needs the name of one.
        """
        return execute(self.kubeconfig, self.namespace, pod, command, stdin, container)

    def helm(self, *arguments: str | Path) -> str:
        return run("helm", "--namespace", self.namespace, *arguments, environment=self.environment)


def _newest_node_image() -> str:
    """Return the newest image that the engine has, which needs no registry; empty, for kind's default, if none."""
    tags = run("docker", "image", "ls", "--format", "{{.Tag}}", "kindest/node").split()
    return newest(tags)


def newest(tags: list[str]) -> str:
    versions = {tag: tuple(map(int, re.findall(r"\d+", tag))) for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)}
    return f"kindest/node:{max(versions, key=versions.__getitem__)}" if versions else ""
