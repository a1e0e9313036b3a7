"""Maintenance of the tables, without effect on their writers and readers.

It merges small files, settles hours that are over, adds up what was decided, expires old snapshots, and deletes orphan
files and days past retention. No row is lost if it is killed, or if several runs are concurrent: each step is one
Iceberg commit, or several independent ones, and conflicts are left to the next run. A deleted day does not return,
because its offsets were loaded.
"""

import argparse
import sys
import threading
from collections.abc import Sequence

from game_settings.reader import SettingsError
from lake.maintenance.memory import TableMemory
from lake.maintenance.runs import PersistentFailureError, due, run, stay
from lake.maintenance.steps import steps
from lake.session import lake_session
from lake.settings import start
from lake.termination import on_sigterm


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="maintain.py", description=__doc__.split("\n")[0])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--every", type=int, metavar="SECONDS", help="keep running, and repeat after this time")
    how.add_argument("--due", action="store_true", help="do only what is due since the last runs, of any process")
    chosen = parser.parse_args(arguments)
    if chosen.every is not None and chosen.every < 1:
        parser.error("--every: expected at least 1")
    try:
        settings = start()
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    spark = lake_session("maintain", settings)
    # Expiry and the removal of orphans compare short lists.
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    stop = threading.Event()
    on_sigterm(spark, stop.set)
    memory = TableMemory(spark)
    planned = steps(spark, settings, memory)
    if chosen.every:
        try:
            stay(planned, chosen.every, stop, memory)
        except PersistentFailureError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        return 0
    memory.recall()
    failed = run(due(planned, memory) if chosen.due else planned, stop, memory)
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
