"""A program's commands, and how one ends: with its exit code, or with an error in one line."""

import argparse
import signal
import sys
from collections.abc import Callable
from typing import Generic, TypeVar

INTERRUPTED = 130

Subject = TypeVar("Subject")
"""What commands run on, such as the stack."""


class Commands(Generic[Subject]):
    """The commands of a program; `parser` parses one with its arguments, and sets `run` to its function."""

    def __init__(self, program: str, description: str | None, epilog: str) -> None:
        self.parser = argparse.ArgumentParser(
            prog=program,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._parsers = self.parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def add(
        self, name: str, run: Callable[[Subject, argparse.Namespace], int], purpose: str
    ) -> argparse.ArgumentParser:
        """Add a command; its arguments are added to the parser that this returns."""
        command = self._parsers.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        command.set_defaults(run=run)
        return command


def exit_code(command: Callable[[], int], *errors: type[Exception]) -> int:
    """Run a command and return its exit code; an error of these types is printed, without a traceback."""
    # SIGTERM cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return command()
    except errors as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
