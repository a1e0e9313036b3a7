"""A query of Trino, bounded in time."""

from contextlib import closing

import trino
from game_trino.connection import connected
from game_trino.settings import TrinoSettings

from game_api.pages.query_cache import QueryFailedError, Rows, UnavailableError

_TIMEOUT = 5.0
"""Seconds per HTTP request. While a query runs, Trino responds to each poll within about a second."""
_LONGEST = "30s"
"""How long a query may run before Trino cancels it."""

_CAUSES = {
    "refused": "connection refused",
    "timed out": "timeout",
    "timeout": "timeout",
    "aborted": "connection closed",
    "reset": "connection closed",
    "error 50": "temporarily unavailable",
    "error 401": "login refused",
    "certificate": "certificate not trusted",
}
"""Short descriptions of connection errors, by a part of the client library's message."""

_NOT_SERVING = {"SERVER_STARTING_UP": "starting", "SERVER_SHUTTING_DOWN": "stopping"}
"""Query errors that concern Trino as a whole."""


def run_query(where: TrinoSettings, query: str, longest: str = _LONGEST) -> Rows:
    """Return the rows of a query's result; Trino cancels it after `longest`.

    Raises UnavailableError, QueryFailedError.
    """
    try:
        with closing(
            connected(
                where,
                "dashboard",
                catalog="hive",
                schema="default",
                session_properties={"query_max_run_time": longest},
                request_timeout=_TIMEOUT,
                # The page retries soon, and shows the error until then.
                max_attempts=1,
            )
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            rows = cursor.fetchall()
            names = [column.name for column in cursor.description]
    except trino.exceptions.TrinoQueryError as error:
        if error.error_name in _NOT_SERVING:
            raise UnavailableError(_NOT_SERVING[error.error_name]) from error
        raise QueryFailedError(str(error.message)) from error
    except (trino.exceptions.Error, trino.exceptions.HttpError, OSError) as error:
        raise UnavailableError(_cause(error)) from error
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cause(error: BaseException) -> str:
    text = str(error).lower()
    return next((words for part, words in _CAUSES.items() if part in text), type(error).__name__)
