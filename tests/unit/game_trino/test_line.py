"""`python -m game_trino`."""

import pytest
from game_trino.__main__ import main


def test_a_line_for_a_person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The password comes from the standard input, and is not printed."""
    read = iter(["correct horse\n"])
    monkeypatch.setattr("sys.stdin", type("Pipe", (), {"isatty": lambda _: False, "readline": lambda _: next(read)})())
    assert main(["user", "alice"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("alice:")
    assert "correct horse" not in printed
