"""A device that is driven from outside, and can be killed at any moment."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

PYTHON = (sys.executable, "-m", "testbed.devices.device")
"""The program of a device with the SDK for Python."""


class Device:
    """Its queue outlives its process: `start` continues after `kill`."""

    def __init__(self, url: str, queue: Path, player: str, program: Sequence[str] = PYTHON) -> None:
        self.player = player
        self._command = [*program, url, str(queue), player]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.do("consent", True)

    def kill(self) -> None:
        """Kill the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()

    def do(self, *command: Any) -> Any:  # noqa: ANN401 JSON
        """Give a command, and return its result."""
        self.send(*command)
        assert self._process.stdout  # noqa: S101 it is a pipe
        return json.loads(self._process.stdout.readline())

    def send(self, *command: Any) -> None:  # noqa: ANN401 JSON
        """Give a command, and do not wait for its result."""
        assert self._process.stdin  # noqa: S101 it is a pipe
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
