"""The command line of the testbed: help texts, errors and exit codes."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from testbed import __main__ as testbed
from testbed import kind
from testbed.command_line import INTERRUPTED, exit_code
from testbed.stack.process import Program
from testbed.stack.stack import Stack


def interrupted() -> int:
    raise KeyboardInterrupt


def failed() -> int:
    raise ValueError("PORT: expected a number, got 'x'")


@pytest.mark.parametrize(
    ("main", "commands"),
    [
        (
            testbed.main,
            {"up", "down", "status", "fetch", "sql", "notebook", "demo", "play", "ledger", "erase", "models", "job"}
            | {"lesson", "kill"},
        ),
        (kind.main, {"up", "demo", "down", "bench"}),
    ],
    ids=["testbed", "kind"],
)
def test_every_command_has_a_help_text(
    main: Callable[[Sequence[str]], int], commands: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`--help` lists every command with its purpose, and each command describes itself and all its arguments."""
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = re.findall(r"^    (\w+) +\w", capsys.readouterr().out, re.MULTILINE)
    assert set(listed) == commands
    for command in listed:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = capsys.readouterr().out
        assert re.search(r"^[A-Z].*", shown, re.MULTILINE)
        assert not re.findall(r"^  \S+( \w+)?$(?!\n {10})", shown, re.MULTILINE), shown


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (lambda: 0, 0, ""),
        (lambda: 3, 3, ""),
        (failed, 1, "error: PORT: expected a number, got 'x'\n"),
        (interrupted, INTERRUPTED, "interrupted\n"),
    ],
)
def test_a_command_ends_with_its_exit_code_or_one_line(
    command: Callable[[], int], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(command, ValueError) == code
    assert capsys.readouterr().err == message


def test_an_unexpected_error_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="PORT"):
        exit_code(failed, OSError)


def test_erase_takes_many_players(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The job and the world get every name, also one like an option, and the file, from wherever they run."""
    commands: list[list[str]] = []
    process = SimpleNamespace(alive=True, program=Program("world", ["world"], {}))

    class Running(Stack):
        def __getitem__(self, _: str) -> SimpleNamespace:  # type: ignore[override]
            return process

        def run(self, job: Program, echo: bool = False) -> str:
            commands.append([str(argument) for argument in job.command])
            return ""

    monkeypatch.setattr(testbed, "Stack", Running)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "names.txt"
    assert testbed.main(["erase", "--grace", "2", "--from-file", "names.txt", "--", "ada", "-x"]) == 0
    [job, world] = commands
    assert job[1:] == ["erase.py", f"--from-file={file}", "--grace=2", "--", "ada", "-x"]
    assert world == ["world", "--forget=ada", "--forget=-x", f"--forget-from={file}"]
