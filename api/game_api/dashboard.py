"""`/dashboard`: the game as the table has it, in plots; `/dashboard/data`: the answers behind them."""

from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from urllib.parse import urlsplit

import trino
from flask import Flask, Response
from redis.exceptions import RedisError

from game_api.dashboard_answers import Answers, AwayError, QuestionError, Rows
from game_api.dashboard_queries import QUERIES
from game_api.page import page
from game_api.replies import json_reply

PATIENCE = 4.0
"""Seconds that the first to look wait for an answer."""
_TIMEOUT = 5.0
"""Seconds for Trino to answer one request; it answers that it is still busy after one."""
_LONGEST = "30s"
"""What a query may take before Trino ends it."""

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
        response = json_reply(answers.look(PATIENCE))
        response.headers["Cache-Control"] = "no-store"
        return response

    app.add_url_rule("/dashboard", "dashboard", dashboard)
    app.add_url_rule("/dashboard/data", "dashboard_data", data)


def _questions(trino_url: str, positions: Positions | None) -> dict[str, Callable[[], Rows]]:
    questions: dict[str, Callable[[], Rows]] = {
        name: partial(_ask_trino, trino_url, query) for name, query in QUERIES.items()
    }
    if positions:
        # Before Trino is asked: the table then looks better than it is by what came in between, and never worse.
        return {"topic": partial(_ask_world, positions), **questions}
    return questions


def _ask_world(positions: Positions) -> Rows:
    try:
        known = positions()
    except RedisError as error:
        raise QuestionError("the world is away") from error
    return [{"kafka_partition": partition, "next_offset": offset} for partition, offset in sorted(known.items())]


def _ask_trino(url: str, query: str) -> Rows:
    address = urlsplit(url)
    try:
        with closing(
            trino.dbapi.connect(
                host=address.hostname,
                port=address.port,
                http_scheme=address.scheme,
                user="dashboard",
                catalog="hive",
                schema="default",
                session_properties={"query_max_run_time": _LONGEST},
                request_timeout=_TIMEOUT,
                # The page asks again soon enough, and says meanwhile what is wrong.
                max_attempts=1,
            )
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            rows = cursor.fetchall()
            names = [column.name for column in cursor.description]
    except trino.exceptions.TrinoQueryError as error:
        if error.error_name == "SERVER_STARTING_UP":
            raise AwayError("it is starting") from error
        raise QuestionError(str(error.message)) from error
    except (trino.exceptions.Error, trino.exceptions.HttpError, OSError) as error:
        raise AwayError(_cause(error)) from error
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cause(error: BaseException) -> str:
    """Say what is wrong in a few words, without what the client's libraries put around it."""
    text = str(error).lower()
    for sign, words in (("refused", "nobody listens there"), ("timed out", "no answer in time"), ("timeout", "no answer in time")):
        if sign in text:
            return words
    return type(error).__name__
