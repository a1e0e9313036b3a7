"""The views over the table `events`."""

import hashlib
import time
from collections.abc import Mapping

import trino
from game_events import FAMILIES, gaps
from game_events.live import live_query
from game_events.table import (
    COMMENTS,
    LIVE,
    PLAYER_EVENTS,
    REJECTED_EVENTS,
    TAIL,
    family_query,
    literal,
    player_events_query,
    rejected_query,
    view_comment,
)
from game_trino.connection import FAILURES, connected
from pyspark.sql import SparkSession

from lake.settings import EVENTS, Settings
from lake.tail import NEVER, Bounds, tail_query
from lake.view_comments import view_comments

_TRINO_PATIENCE = 300
"""Seconds. Where everything is started at once, Trino is ready last."""


def create_views(spark: SparkSession, settings: Settings) -> None:
    """Create the views in Trino, in whose dialect they are stored, and replace those that differ."""
    queries = {family: family_query(family, EVENTS) for family in FAMILIES}
    queries[PLAYER_EVENTS] = player_events_query(EVENTS)
    queries[REJECTED_EVENTS] = rejected_query(EVENTS)
    queries[gaps.SESSION_GAPS] = gaps.gaps_query(EVENTS)
    # The stream then keeps its bounds.
    queries[TAIL] = tail_query(settings.kafka.topic, Bounds(problem=NEVER))
    live = {family: live_query(family, EVENTS, TAIL) for family in FAMILIES}
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {TAIL.partition('.')[0]}")
    with view_comments(spark, settings.metastore_uri) as views:
        versions = {name: _version(name, query) for name, query in queries.items()}
        changed = [name for name in queries if views.version(name) != versions[name]]
        if changed:
            _replace(settings, {name: queries[name] for name in changed})
        for name in changed:
            views.write(name, COMMENTS, versions[name])
        for family, query in live.items():
            name = f"{family}{LIVE}"
            version = _version(name, query + queries[family])
            if views.version(name) != version:
                # Trino would take a second for each to find out that the columns are the family's.
                views.copy(family, name, query, view_comment(name), version)


def _version(name: str, query: str) -> str:
    """Return a digest of all that makes a view."""
    return hashlib.sha256(repr((query, view_comment(name), sorted(COMMENTS.items()))).encode()).hexdigest()[:16]


def _replace(settings: Settings, queries: Mapping[str, str]) -> None:
    with connected(settings.trino, "gamelake", catalog="hive", schema="default") as connection:
        _wait_until_started(connection)
        for name, query in queries.items():
            comment = f"COMMENT {literal(view_comment(name))}"
            # Invoker: users may not read through the views what they may not read in the table.
            create = f"CREATE OR REPLACE VIEW {name} {comment} SECURITY INVOKER AS {query}"
            connection.cursor().execute(create).fetchall()


def _wait_until_started(connection: trino.dbapi.Connection) -> None:
    deadline = time.monotonic() + _TRINO_PATIENCE
    while True:
        try:
            connection.cursor().execute("SELECT 1").fetchall()
        # A Trino with login answers 500 until it has read its passwords.
        except FAILURES:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return
