"""The lessons of docs/course: runs the commands of one, and compares their output with what the lesson shows."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from testbed.settings import ROOT, Settings

FOLDER = ROOT / "docs/course"
_FENCED = re.compile(r"^```(sh|text)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_API = "http://127.0.0.1:5000"
"""The API's address in the lessons; a stack may have another one."""
_ANYTHING = "…"
_PATIENCE = 600
"""Seconds that a lesson may take."""
_TIMED_OUT = 124
"""The exit code of `timeout`."""
_DONE = "-- done --"


class LessonError(RuntimeError):
    """There is no such lesson, or it did not go as it says."""


@dataclass(frozen=True)
class Step:
    """The text before some commands, the commands, and the output that the lesson shows, if any."""

    text: str
    commands: str
    output: str


def lessons() -> dict[int, Path]:
    """Return each lesson's file by its number."""
    return {int(path.name.split("-")[0]): path for path in sorted(FOLDER.glob("[0-9]*-*.md"))}


def steps(lesson: str) -> Iterator[Step]:
    """Yield the steps of a lesson in Markdown; the last one may be text alone."""
    text, commands = "", ""
    end = 0
    for block in _FENCED.finditer(lesson):
        between, end = lesson[end : block.start()], block.end()
        shown = block[2] if block[1] == "text" else ""
        if commands:
            yield Step(text, commands, shown)
            text, commands = "", ""
        text += between
        commands = "" if shown else block[2]
    if commands:
        yield Step(text, commands, "")
        text = ""
    yield Step(text + lesson[end:], "", "")


def run(settings: Settings, number: int) -> None:
    """Print a lesson and run its commands on the running stack; raise LessonError at the first that goes wrong."""
    try:
        path = lessons()[number]
    except KeyError:
        raise LessonError(f"lesson: expected one of {', '.join(map(str, lessons()))}, got {number}") from None
    with subprocess.Popen(
        ["timeout", "--kill-after=10", str(_PATIENCE), "bash", "-euo", "pipefail"],
        cwd=ROOT,
        env={**os.environ, "MAKEFLAGS": "--silent --no-print-directory"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as shell:
        try:
            for step in steps(path.read_text().replace(_API, settings.api_url)):
                print(step.text, flush=True)
                if step.commands:
                    print(indent(step.commands, "    $ "), flush=True)
                    _check(step, _output(shell, step.commands))
        finally:
            shell.terminate()


def _output(shell: subprocess.Popen[str], commands: str) -> str:
    """Run commands in a shell, print what they print, and return it."""
    # The commands must not read the lesson from the shell's stdin.
    print(f"{{\n{commands}}} < /dev/null; echo; echo {_DONE}", file=shell.stdin, flush=True)
    output = ""
    for line in shell.stdout or ():
        if line == f"{_DONE}\n":
            return output
        output += line
        print(f"    {line}", end="", flush=True)
    code = shell.wait()
    reason = f"did not end within {_PATIENCE} s" if code == _TIMED_OUT else f"failed with exit code {code}"
    raise LessonError(f"a command of this step {reason}:\n{commands}")


def _check(step: Step, output: str) -> None:
    """Raise LessonError unless the output contains what the lesson shows, apart from the space between words."""
    parts = (r"\s+".join(map(re.escape, part.split())) for part in step.output.strip().split(_ANYTHING))
    if not re.search(".*?".join(parts), output, re.DOTALL):
        raise LessonError(f"expected this output, where {_ANYTHING} is any text:\n{step.output}got:\n{output}")
