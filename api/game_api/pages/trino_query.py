"""One question to Trino, bounded in time."""

from contextlib import closing
from urllib.parse import urlsplit

import trino

from game_api.pages.answers import AwayError, QuestionError, Rows

_TIMEOUT = 5.0
"""Seconds for Trino to answer one request; while a query runs, it says so every second."""
_LONGEST = "30s"
"""What a query may take before Trino ends it."""

_CAUSES = {
    "refused": "nobody listens there",
    "timed out": "no answer in time",
    "timeout": "no answer in time",
    "aborted": "it hung up",
    "reset": "it hung up",
    "error 50": "it cannot answer now",
}
"""What a client's error says, in a few words, without what its libraries put around it."""

_NOT_SERVING = {"SERVER_STARTING_UP": "it is starting", "SERVER_SHUTTING_DOWN": "it is stopping"}
"""Errors of a query that are of Trino as a whole."""


def ask_trino(url: str, query: str) -> Rows:
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
                timezone="UTC",
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
        if error.error_name in _NOT_SERVING:
            raise AwayError(_NOT_SERVING[error.error_name]) from error
        raise QuestionError(str(error.message)) from error
    except (trino.exceptions.Error, trino.exceptions.HttpError, OSError) as error:
        raise AwayError(_cause(error)) from error
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cause(error: BaseException) -> str:
    text = str(error).lower()
    return next((words for sign, words in _CAUSES.items() if sign in text), type(error).__name__)
