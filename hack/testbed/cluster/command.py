"""Runs other programs: docker, kind, kubectl, helm, and the scripts of this repository."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

_LINES = 15
"""Lines of a failed command's output that its error shows."""


class KindError(RuntimeError):
    """A failure that the user can act on; the message explains it."""


def run(*command: str | Path, environment: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """Run a command to its end and return what it printed; `stdin` is its standard input."""
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KindError(f"{_named(command)} ended with {done.returncode}:\n{tail(done.stderr or done.stdout)}")
    return done.stdout


def show(*command: str | Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end; its output goes to the terminal."""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise KindError(f"{_named(command)} ended with {done.returncode}; see its output above")


def tail(output: str) -> str:
    return "\n".join(output.splitlines()[-_LINES:])


def _named(command: tuple[str | Path, ...]) -> str:
    words = " ".join(map(str, command))
    return words if len(words) < 160 else f"{words[:160]} …"
