"""Erase a player: no row and no file of the lake names him after that.

Each of his rows becomes one of family `erased`, which keeps its offset, its two times and nothing else. So the topic
stays accounted for, and no replay brings him back. A declaration of another player to him stays, without its target. A
rejected record is his if its key is his name or if it has his name as a JSON string; other text is not searched.
"""

import argparse
import sys
from collections.abc import Sequence

from game_settings.reader import SettingsError
from lake.erasure.erasure import erase
from lake.erasure.player import player_name
from lake.session import lake_session
from lake.settings import start
from lake.termination import root_cause
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

_REMARKS = """\
Kafka keeps the player's records until its retention deletes them; reading them again does not bring them back.
Events that come from now on are new rows, and free text was not searched: run this again if there are any.\
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="erase.py", description=__doc__.split("\n")[0])
    parser.add_argument("player", type=player_name, metavar="PLAYER")
    parser.add_argument(
        "--grace", type=float, default=60, metavar="SECONDS", help="how long queries that run keep their files (60)"
    )
    parser.add_argument(
        "--orphan-age",
        type=float,
        metavar="SECONDS",
        help="younger files that belong to no snapshot may be a running job's, and stay (MAINTAIN_ORPHAN_HOURS)",
    )
    chosen = parser.parse_args(arguments)
    try:
        settings = start()
        spark = lake_session("erase", settings)
        # The files that it rewrites are few: hundreds of parts would each be a file of an export.
        spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
        age = settings.orphan_hours * 3600 if chosen.orphan_age is None else chosen.orphan_age
        left = erase(spark, settings, chosen.player, chosen.grace, age)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (PySparkException, Py4JJavaError) as error:
        print(f"error: not erased: {root_cause(error)}. Run it again: what was done stays done", file=sys.stderr)
        return 1
    if left.found:
        listed = "\n".join(f"  {path}: {why}" for path, why in left.found.items())
        print(f"error: of {left.scope} these still name the player, or may:\n{listed}", file=sys.stderr)
        return 1
    print(f"proof: of {left.scope}, each read as it lies, none names the player\n{_REMARKS}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
