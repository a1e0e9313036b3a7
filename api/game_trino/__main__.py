"""Print a line of `password.db`, by which Trino knows a user."""

import argparse
import getpass
import sys
from collections.abc import Sequence

from game_trino.login import password_line


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m game_trino", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    user = commands.add_parser("user", help="print a user's line of `password.db`; the password is the standard input")
    user.add_argument("user", metavar="NAME")
    user.set_defaults(run=_print_line)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


def _print_line(chosen: argparse.Namespace) -> int:
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    print(password_line(chosen.user, password))
    return 0


if __name__ == "__main__":
    sys.exit(main())
