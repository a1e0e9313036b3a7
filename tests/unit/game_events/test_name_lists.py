"""Names of players as arguments of commands."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

import pytest
from game_events import name_lists


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "names.txt"


def test_a_file_of_names(file: Path) -> None:
    """Each line is a name; empty lines, comments and surrounding spaces are skipped."""
    file.write_bytes('\ufeff# of March\r\nAda\r\n\n  du Lac, dit "Jürgen" \n#bob\nGrace # Hopper'.encode())
    assert name_lists.names_in(str(file)) == ["Ada", 'du Lac, dit "Jürgen"', "Grace # Hopper"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"ada\n\n" + 256 * b"x", ", line 3: expected a name of 1 to 255 characters"),
        (b"ada\nJ\xfcrgen\n", ", line 2: expected a name in UTF-8"),
        (b"# nobody\n \n", ": contains no name"),
    ],
)
def test_an_invalid_file_is_refused(file: Path, content: bytes, problem: str) -> None:
    """The message names the file and the line."""
    file.write_bytes(content)
    with pytest.raises(ArgumentTypeError) as refusal:
        name_lists.names_in(str(file))
    assert str(refusal.value) == f"{file}{problem}"


def test_a_missing_file_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The option's error names the file and the reason."""
    parser = ArgumentParser()
    name_lists.add_file(parser, "--from-file")
    with pytest.raises(SystemExit):
        parser.parse_args(["--from-file", str(file)])
    assert f"argument --from-file: {file}: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", 256 * "x", "\udc80"])
def test_an_invalid_name_is_refused(text: str) -> None:
    """A name has 1 to 255 characters and is UTF-8."""
    with pytest.raises(ArgumentTypeError, match="expected a name"):
        name_lists.name(text)
