"""Erase players: afterwards no row and no file of the lake names them, in any spelling.

Each of their rows becomes one of family `erased`, which keeps only its offset and its two times. So every offset of the
topic still has a row, and no replay restores their data. Events of other players stay, without a target or a host that
is an erased player's name. A rejected record is a player's if its key is the name, or if the name is a string of its
JSON.
"""

import argparse
import sys
from collections.abc import Sequence

from game_events import name_lists
from game_settings.reader import SettingsError
from lake.erasure.erasure import erase
from lake.erasure.remarks import remarks
from lake.events_table import TableError
from lake.settings import start
from lake.termination import root_cause
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="erase.py", description=__doc__.split("\n")[0])
    parser.add_argument("players", nargs="*", type=name_lists.name, metavar="PLAYER")
    name_lists.add_file(parser, "--from-file")
    grace = "how long running queries keep their files (60)"
    parser.add_argument("--grace", type=float, default=60, metavar="SECONDS", help=grace)
    orphans = "younger files that belong to no snapshot may be a running job's, and are kept (MAINTAIN_ORPHAN_HOURS)"
    parser.add_argument("--orphan-age", type=float, metavar="SECONDS", help=orphans)
    chosen = parser.parse_args(arguments)
    chosen.players += chosen.from_file
    if not chosen.players:
        parser.error("expected a PLAYER, or --from-file")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _arguments(arguments)
    try:
        settings = start()
        left = erase(settings, chosen.players, chosen.grace, chosen.orphan_age)
    except (SettingsError, TableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (PySparkException, Py4JJavaError) as error:
        print(f"error: not erased: {root_cause(error)}. Run it again: completed steps stay done", file=sys.stderr)
        return 1
    if left.found:
        listed = "\n".join(f"  {path}: {why}" for path, why in left.found.items())
        print(f"error: of {left.scope} these still name a player, or may:\n{listed}", file=sys.stderr)
        return 1
    players = "the player" if len(set(chosen.players)) == 1 else "one of the players"
    print(f"proof: of {left.scope}, each of which was read, none names {players}\n{remarks(settings)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
