"""Containers as a restricted pod runs them: no privileges, a root that is read-only, /tmp and /data to write to."""

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
    """Run a command of docker's and return what it printed, both kinds; AssertionError if it fails."""
    done = attempt(*arguments)
    assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}"
    return done.stdout


def attempt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def configuration(image: str) -> dict[str, Any]:
    return dict(json.loads(docker("image", "inspect", image))[0]["Config"])


def run(image: str, *command: str, entrypoint: str | None = None, options: tuple[str, ...] = ()) -> str:
    """Run a container to its end and return what it printed."""
    replaced = [f"--entrypoint={entrypoint}"] if entrypoint else []
    return docker("run", "--rm", *RESTRICTED, *replaced, *options, image, *command)


class Container:
    """A server, known by `name` to the others in its network."""

    def __init__(self, network: str, name: str, image: str, *arguments: str, **environment: str) -> None:
        variables = [f"--env={key}={value}" for key, value in environment.items()]
        self.name = name
        self._id = docker(
            *("run", "--detach", f"--network={network}", f"--network-alias={name}", f"--hostname={name}"),
            *(*RESTRICTED, *variables, image, *arguments),
        ).strip()

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        return attempt("exec", self._id, *command)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        return self.execute("bash", "-c", script)

    def wait(self, what: str, probe: Callable[[], object], timeout: float = 300) -> None:
        """Wait until a probe answers something true; its log's end says why it does not."""

        def alive_and_ready() -> object:
            assert self._state("Running") == "true", "it has ended"
            return probe()

        try:
            wait_until(what, alive_and_ready, timeout, pause=1)
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{self.name}: {error}\n{docker('logs', '--tail=40', self._id)}") from None

    def stop(self) -> int:
        """Ask it to end, as a kubelet does, and return its exit code: 137 if it had to be killed."""
        docker("stop", "--time=30", self._id)
        return int(self._state("ExitCode"))

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self._id)

    def _state(self, field: str) -> str:
        return docker("inspect", f"--format={{{{.State.{field}}}}}", self._id).strip()
