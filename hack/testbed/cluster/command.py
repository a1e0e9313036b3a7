"""Other programs: docker, kind, kubectl, helm, and scripts of this folder."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

_LINES = 15
"""Of what a failed command said."""


class KindError(RuntimeError):
    """What went wrong, for whom it concerns."""


def run(*command: str | Path, environment: Mapping[str, str] | None = None, given: str = "") -> str:
    """Run a command to its end and return what it printed; `given` is what it reads."""
    done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).splitlines()[-_LINES:])
        raise KindError(f"{_named(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


def show(*command: str | Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end; what it says is seen as it comes."""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise KindError(f"{_named(command)} ended with {done.returncode}; see what it said above")


def _named(command: tuple[str | Path, ...]) -> str:
    words = " ".join(map(str, command))
    return words if len(words) < 160 else f"{words[:160]} …"
