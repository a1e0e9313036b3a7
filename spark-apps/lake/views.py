"""The views over the table `events`."""

import time

import trino
from game_events import FAMILIES
from game_events.table import family_query, rejected_query

from lake.settings import EVENTS, Settings

_TRINO_PATIENCE = 300
"""Seconds. Where everything is started at once, Trino is ready last."""


def create_views(settings: Settings) -> None:
    """Create or replace the views in Trino, in whose dialect they are stored."""
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
            # Invoker: users may not read through the views what they may not read in the table.
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
