"""Waiting for what the cluster is about to have, by kubectl's own means, all at once."""

import subprocess
import time
from collections.abc import Mapping, Sequence

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.conditions import Conditions
from testbed.cluster.progress import Progress

_TIMEOUT = "15m"
_SILENCE = 30.0
"""Seconds without a word."""


def await_all(cluster: Cluster, conditions: Mapping[str, Sequence[str]], progress: Progress) -> None:
    """Wait until every one of these commands of kubectl's has ended well; say which have, and what keeps the others."""
    keeps = Conditions(cluster, progress)
    waiting = {
        name: subprocess.Popen(
            ["kubectl", "--namespace", cluster.namespace, *arguments, f"--timeout={_TIMEOUT}"],
            env=cluster.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, arguments in conditions.items()
    }
    said = time.monotonic()
    try:
        while waiting:
            for name in [name for name, process in waiting.items() if process.poll() is not None]:
                _conclude(name, waiting.pop(name), keeps)
                progress.say(f"{name} ready")
                said = time.monotonic()
            if waiting:
                keeps.look()
            if waiting and time.monotonic() - said > _SILENCE:
                progress.say(f"… waiting for {', '.join(waiting)}")
                said = time.monotonic()
            time.sleep(0.2)
    finally:
        for process in waiting.values():
            process.terminate()


def _conclude(name: str, process: "subprocess.Popen[str]", keeps: Conditions) -> None:
    said, _ = process.communicate()
    if process.returncode:
        raise KindError(keeps.explain(f"{name} is not ready: {said.strip()}"))
