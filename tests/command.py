"""`python -m testbed …` as a process of its own, the way make runs it."""

import os
import subprocess
import sys

from testbed.settings import ROOT, Ports

PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("hack", "api", "spark-apps"))


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment with the packages on the path, changed by these variables."""
    return {**os.environ, "PYTHONPATH": PYTHONPATH, **variables}


def run_testbed(*arguments: str, timeout: float = 500, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "testbed", *arguments],
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def port_settings(ports: Ports) -> dict[str, str]:
    """Return the variables that set these ports."""
    return {f"{name.upper()}_PORT": str(port) for name, port in vars(ports).items()}
