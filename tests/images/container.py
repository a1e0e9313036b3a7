"""Runs containers as a restricted pod does: without privileges, with a read-only root, and writable /tmp and /data."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from testbed.waiting import wait_until

RESTRICTED = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--tmpfs=/tmp:exec",
    "--volume=/data",
)


def docker(*arguments: str) -> str:
    """Run a docker command and return its output, standard error included; raise AssertionError if it fails."""
    done = attempt(*arguments)
    assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}"
    return done.stdout


def attempt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def configuration(image: str) -> dict[str, Any]:
    return dict(json.loads(docker("image", "inspect", image))[0]["Config"])


def run(image: str, *command: str, entrypoint: str | None = None, options: tuple[str, ...] = ()) -> str:
    """Run a container until it exits and return its output."""
    replaced = [f"--entrypoint={entrypoint}"] if entrypoint else []
    return docker("run", "--rm", *RESTRICTED, *replaced, *options, image, *command)


class Container:
    """A server, which the other containers of its network reach as `name`."""

    def __init__(
        self, network: str, name: str, image: str, *arguments: str, volumes: tuple[str, ...] = (), **environment: str
    ) -> None:
        variables = [f"--env={key}={value}" for key, value in environment.items()]
        self.name = name
        self._id = docker(
            *("run", "--detach", f"--network={network}", f"--network-alias={name}", f"--hostname={name}"),
            *(*RESTRICTED, *(f"--volume={one}" for one in volumes), *variables, image, *arguments),
        ).strip()

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        return attempt("exec", self._id, *command)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        return self.execute("bash", "-c", script)

    def wait(self, what: str, probe: Callable[[], object], timeout: float = 300) -> None:
        """Wait until the probe returns a true value; AssertionError, with the end of its log, if it does not."""

        def alive_and_ready() -> object:
            assert self._state("Running") == "true", "the container has exited"
            return probe()

        try:
            wait_until(what, alive_and_ready, timeout, pause=1)
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{self.name}: {error}\n{docker('logs', '--tail=40', self._id)}") from None

    def stop(self) -> int:
        """Stop the server as a kubelet does, and return its exit code: 137 if it had to be killed."""
        docker("stop", "--time=180", self._id)
        return int(self._state("ExitCode"))

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self._id)

    def _state(self, field: str) -> str:
        return docker("inspect", f"--format={{{{.State.{field}}}}}", self._id).strip()
