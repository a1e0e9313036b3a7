"""`python -m testbed …` as a process of its own, the way make runs it."""

import os
import subprocess
import sys

from testbed.settings import ROOT, Ports

PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("hack", "api", "spark-apps"))


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment with the packages on the path, changed by these variables."""
    return {**os.environ, "PYTHONPATH": PYTHONPATH, **variables}


def run_module(*arguments: str, timeout: float | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with these arguments to its end."""
    command = [sys.executable, "-m", *arguments]
    running = subprocess.Popen(
        command,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, errors = running.communicate(timeout=timeout)
    except BaseException:
        # On SIGTERM it stops its servers.
        running.terminate()
        running.communicate()
        raise
    return subprocess.CompletedProcess(command, running.returncode, output, errors)


def run_testbed(*arguments: str, timeout: float = 500, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_module("testbed", *arguments, timeout=timeout, **variables)


def port_settings(ports: Ports) -> dict[str, str]:
    """Return the variables that set these ports."""
    return {f"{name.upper()}_PORT": str(port) for name, port in vars(ports).items()}
