"""One-time job: create the tables and the views. DDL only: it may run any number of times, also after data."""

import argparse
import sys
from collections.abc import Sequence

import trino
from game_settings.reader import SettingsError
from lake import events_table, relocation, rollups
from lake.metastore import forget_lost
from lake.session import lake_session
from lake.settings import EVENTS, FILE_SYSTEM, ROLLUPS, start
from lake.views import create_views


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tables.py", description=__doc__)
    lost = "first restore the table to the catalog, by default from its last metadata, whatever the catalog knows of it"
    parser.add_argument("--register", nargs="?", const="", metavar="METADATA_FILE", help=lost)
    parser.add_argument("--move", action="store_true", help=f"first move paths that name a NameNode to {FILE_SYSTEM}")
    chosen = parser.parse_args(arguments)
    try:
        settings = start()
        spark = lake_session("tables", settings)
        if chosen.register is not None:
            events_table.register(spark, settings, chosen.register, elsewhere=chosen.move)
            # Maintenance adds up its rows again.
            forget_lost(spark, settings.metastore_uri, ROLLUPS)
        if chosen.move:
            relocation.move_all(spark, settings)
        events_table.create(spark, settings)
        events_table.comment(spark)
        rollups.create(spark, settings.rollups_location)
        create_views(spark, settings)
        if remedy := events_table.elsewhere(spark, settings):
            print(f"warning: {remedy}", file=sys.stderr)
    except (SettingsError, events_table.TableError, trino.exceptions.Error, trino.exceptions.HttpError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{EVENTS}, {ROLLUPS} and the views exist", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
