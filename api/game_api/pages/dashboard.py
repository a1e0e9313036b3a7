"""`/dashboard`: the game as the table has it, in plots; `/dashboard/data`: the answers behind them."""

from collections.abc import Callable, Mapping
from functools import partial

from flask import Flask, Response
from redis.exceptions import RedisError

from game_api.pages.answers import Answers, Rows
from game_api.pages.page import page
from game_api.pages.queries import QUERIES
from game_api.replies import json_reply

PATIENCE = 4.0
"""Seconds that the first to look wait for an answer."""

_NO_DASHBOARD = "there is no dashboard here: TRINO_URL is not set"

Positions = Callable[[], Mapping[int, int]]


def add_dashboard(app: Flask, trino_url: str, positions: Positions | None = None) -> None:
    """Add the page and its data. `positions` are the next offsets of the topic's partitions, as the world knows them.

    Without an address of Trino the page says that there is no dashboard.
    """
    answers = Answers(_questions(trino_url, positions)) if trino_url else None

    def dashboard() -> Response:
        return page("dashboard.html")

    def data() -> Response:
        if answers is None:
            return json_reply({"error": _NO_DASHBOARD}, 503)
        return json_reply(answers.look(PATIENCE))

    app.add_url_rule("/dashboard", "dashboard", dashboard)
    app.add_url_rule("/dashboard/data", "dashboard_data", data)


def _questions(trino_url: str, positions: Positions | None) -> dict[str, Callable[[], Rows]]:
    # 7 MB that a worker without a dashboard does not need.
    from game_api.pages.trino_query import ask_trino

    questions: dict[str, Callable[[], Rows]] = {
        name: partial(ask_trino, trino_url, query) for name, query in QUERIES.items()
    }
    return questions | {"freshness": partial(_freshness, questions["freshness"], positions)}


def _freshness(newest: Callable[[], Rows], positions: Positions | None) -> Rows:
    """Add to each partition's newest row the topic's `next_offset`; None where nobody knows."""
    try:
        # Before Trino is asked: the table then looks better than it is by what came in between, and never worse.
        known = dict(positions()) if positions else {}
    except RedisError:
        known = {}
    rows = [row | {"next_offset": known.pop(row["kafka_partition"], None)} for row in newest()]
    return rows + [
        {"kafka_partition": partition, "newest_offset": None, "next_offset": offset}
        for partition, offset in sorted(known.items())
    ]
