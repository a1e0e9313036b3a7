"""Names of players as arguments of commands: one by one, or in a file."""

import codecs
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

_LONGEST = 255
_COMMENT = "#"


def name(text: str) -> str:
    """Read a player's name; raise ArgumentTypeError. Any spelling will do, also one that no valid event has."""
    if not 0 < len(text) <= _LONGEST:
        raise ArgumentTypeError(f"expected a name of 1 to {_LONGEST} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("expected a name in UTF-8") from None
    return text


def add_file(parser: ArgumentParser, option: str) -> None:
    """Add an option for a file of names; without it, its value is an empty list."""
    explained = "a file with a name on each line; empty lines and lines that begin with # are skipped"
    parser.add_argument(option, type=names_in, default=[], metavar="FILE", help=explained)


def names_in(path: str) -> list[str]:
    """Read the names in a file, one a line; raise ArgumentTypeError, which names the line.

    Empty lines, and lines that begin with `#`, are skipped; spaces around a name do not belong to it.
    """
    try:
        names = parse(Path(path).read_bytes())
    except OSError as error:
        raise ArgumentTypeError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ArgumentTypeError(f"{path}, {error}") from None
    if not names:
        raise ArgumentTypeError(f"{path}: contains no name")
    return names


def parse(content: bytes) -> list[str]:
    """Return the names in a file's content; raise ValueError, which names the line."""
    names = []
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        try:
            text = line.decode().strip()
            if text and not text.startswith(_COMMENT):
                names.append(name(text))
        except UnicodeDecodeError:
            raise ValueError(f"line {number}: expected a name in UTF-8") from None
        except ArgumentTypeError as error:
            raise ValueError(f"line {number}: {error}") from None
    return names
