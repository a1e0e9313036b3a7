"""`/dashboard` shows plots of the table's data; `/dashboard/data` serves the query results that it plots."""

from collections.abc import Callable, Mapping
from functools import partial

from flask import Flask, Response
from game_trino.settings import TrinoSettings
from redis.exceptions import RedisError

from game_api.pages.page import add_files, json_page, page
from game_api.pages.queries import QUERIES
from game_api.pages.query_cache import QueryCache, Rows
from game_api.pages.rolled import RolledQueries

PATIENCE = 4.0
"""How many seconds the first viewers wait for results."""

_NO_DASHBOARD = "this service has no dashboard: TRINO_URL is not set"

_FILES = ("dashboard.css", "dashboard.js", "plots.js", "sections.js")

Positions = Callable[[], Mapping[int, int]]


def add_dashboard(app: Flask, trino: TrinoSettings, positions: Positions | None = None) -> None:
    """Add the page and its data. `positions` returns the next offset of each partition of the topic, from the world.

    Without a URL of Trino, the page shows that there is no dashboard.
    """
    cache = QueryCache(_queries(trino, positions)) if trino.url else None

    def dashboard() -> Response:
        return page("dashboard.html")

    def data() -> Response:
        if cache is None:
            return json_page({"error": _NO_DASHBOARD}, 503)
        return json_page(cache.snapshot(PATIENCE))

    app.add_url_rule("/dashboard", "dashboard", dashboard)
    app.add_url_rule("/dashboard/data", "dashboard_data", data)
    add_files(app, *_FILES)


def _queries(trino: TrinoSettings, positions: Positions | None) -> dict[str, Callable[[], Rows]]:
    # Imported here because it takes 7 MB, which a worker without a dashboard does not need.
    from game_api.pages.trino_query import run_query

    rolled = RolledQueries(partial(run_query, trino))
    queries: dict[str, Callable[[], Rows]] = {name: partial(rolled.rows, name) for name in QUERIES}
    return queries | {"freshness": partial(_freshness, queries["freshness"], positions)}


def _freshness(newest: Callable[[], Rows], positions: Positions | None) -> Rows:
    """Add the topic's `next_offset` to each partition's newest row, or None if it is unknown."""
    try:
        # Read before querying Trino: records written in between make the table look fresher than it is, never staler.
        known = dict(positions()) if positions else {}
    except RedisError:
        known = {}
    rows = [row | {"next_offset": known.pop(row["kafka_partition"], None)} for row in newest()]
    return rows + [
        {"kafka_partition": partition, "newest_offset": None, "next_offset": offset}
        for partition, offset in sorted(known.items())
    ]
