"""Erase a player: afterwards no row and no file of the lake names the player.

Each of the player's rows becomes one of family `erased`, which keeps only its offset and its two times. So every offset
of the topic still has a row, and no replay restores the player's data. A declaration of another player to this one is
kept, without its target. A rejected record is the player's if its key is the name or if it contains the name as a JSON
string; other text is not searched.
"""

import argparse
import sys
from collections.abc import Sequence

from game_settings.reader import SettingsError
from lake.erasure.erasure import erase
from lake.erasure.player import player_name
from lake.settings import start
from lake.termination import root_cause
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

_REMARKS = """\
Kafka keeps the player's records until its retention deletes them; loading them again does not restore the rows.
New events of the player become new rows, and free text was not searched: run this again if there are new ones.\
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="erase.py", description=__doc__.split("\n")[0])
    parser.add_argument("player", type=player_name, metavar="PLAYER")
    parser.add_argument(
        "--grace", type=float, default=60, metavar="SECONDS", help="how long running queries keep their files (60)"
    )
    parser.add_argument(
        "--orphan-age",
        type=float,
        metavar="SECONDS",
        help="younger files that belong to no snapshot may be a running job's, and are kept (MAINTAIN_ORPHAN_HOURS)",
    )
    chosen = parser.parse_args(arguments)
    try:
        left = erase(start(), chosen.player, chosen.grace, chosen.orphan_age)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (PySparkException, Py4JJavaError) as error:
        print(f"error: not erased: {root_cause(error)}. Run it again: completed steps stay done", file=sys.stderr)
        return 1
    if left.found:
        listed = "\n".join(f"  {path}: {why}" for path, why in left.found.items())
        print(f"error: of {left.scope} these still name the player, or may:\n{listed}", file=sys.stderr)
        return 1
    print(f"proof: of {left.scope}, each of which was read, none names the player\n{_REMARKS}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
