"""One-time job: the table `events` and the views over it. DDL only: any number of times, before or after data."""

import argparse
import sys
import time
from collections.abc import Sequence

import events_table
import trino
from game_events import FAMILIES
from game_events.table import family_query, rejected_query
from session import lake_session
from settings import EVENTS, Settings, SettingsError

_TRINO_PATIENCE = 300
"""Seconds; where everything is started at once, Trino is last."""


def create_views(settings: Settings) -> None:
    """Make or replace the views, in Trino, whose dialect they are stored in."""
    queries = {family: family_query(family, EVENTS) for family in FAMILIES}
    queries["rejected_events"] = rejected_query(EVENTS)
    with trino.dbapi.connect(
        host=settings.trino_host,
        port=settings.trino_port,
        user="gamelake",
        catalog="hive",
        schema="default",
        timezone="UTC",
    ) as connection:
        _wait_until_started(connection)
        for name, query in queries.items():
            # Invoker: what a user may not read in the table, he may not read through its views.
            connection.cursor().execute(f"CREATE OR REPLACE VIEW {name} SECURITY INVOKER AS {query}").fetchall()


def _wait_until_started(connection: trino.dbapi.Connection) -> None:
    deadline = time.monotonic() + _TRINO_PATIENCE
    while True:
        try:
            connection.cursor().execute("SELECT 1").fetchall()
        except (trino.exceptions.Error, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tables.py", description=__doc__)
    parser.add_argument(
        "--register", metavar="METADATA_FILE", help="first bring the table back into a catalog that lost it"
    )
    chosen = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        spark = lake_session("tables", settings)
        if chosen.register:
            events_table.register(spark, chosen.register)
        events_table.create(spark, settings)
        create_views(settings)
    except (SettingsError, events_table.TableError, trino.exceptions.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{EVENTS} and its views are there", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
