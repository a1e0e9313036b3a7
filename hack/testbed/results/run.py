"""A run of a benchmark or a fault campaign: when, from which code, on which machine, by which command."""

import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from testbed.results.machine import Machine, this_machine
from testbed.settings import ROOT

_GENERATED = ("docs/results", "docs/benchmarks.md", "docs/faults.md")
"""Files that runs write themselves: an earlier run does not make the tree dirty."""


@dataclass(frozen=True)
class Run:
    """`commit` is empty outside a git checkout; `dirty` means that files differed from the commit."""

    date: str
    commit: str
    dirty: bool
    machine: Machine
    command: str

    @classmethod
    def begin(cls, program: str) -> "Run":
        """Describe the run that starts now: `python -m PROGRAM` with this process's arguments.

        Call it before measuring, because the tree may change during a long run.
        """
        return cls(
            date=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            commit=_git("rev-parse", "HEAD"),
            dirty=bool(_git("status", "--porcelain", "--", ".", *(f":(exclude){path}" for path in _GENERATED))),
            machine=this_machine(),
            command=shlex.join(["python", "-m", program, *sys.argv[1:]]),
        )

    def __str__(self) -> str:
        commit = f"commit {self.commit[:12]}" if self.commit else "an unknown commit"
        changes = " with uncommitted changes" if self.dirty else ""
        return f"Measured on {self.date[:10]} at {commit}{changes}, with `{self.command}`, on {self.machine}."


def _git(*arguments: str) -> str:
    """Return what git prints, or nothing without git or outside a checkout."""
    try:
        return subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
