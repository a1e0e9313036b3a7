"""Commands as processes of their own, and `python -m testbed …` the way make runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from testbed.settings import ROOT, Ports

PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("hack", "api", "spark-apps"))


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment with the packages on the path, changed by these variables."""
    return {**os.environ, "PYTHONPATH": PYTHONPATH, **variables}


def run(
    command: Sequence[str], environment: Mapping[str, str], timeout: float | None = None, errors: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `errors=STDOUT` puts its errors into the output.

    If the test is interrupted, the command gets SIGTERM.
    """
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    try:
        output, error_output = running.communicate(timeout=timeout)
    except BaseException:
        # It stops its servers, and make ends its child: nothing is created while a fixture cleans up.
        running.terminate()
        running.communicate()
        raise
    return subprocess.CompletedProcess(command, running.returncode, output, error_output)


def run_module(*arguments: str, timeout: float | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with these arguments to its end."""
    return run([sys.executable, "-m", *arguments], environment(**variables), timeout)


def run_testbed(*arguments: str, timeout: float = 1500, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_module("testbed", *arguments, timeout=timeout, **variables)


def port_settings(ports: Ports) -> dict[str, str]:
    """Return the variables that set these ports."""
    return {f"{name.upper()}_PORT": str(port) for name, port in vars(ports).items()}
