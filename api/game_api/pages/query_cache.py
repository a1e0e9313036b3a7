"""Cached results of queries, refreshed in the background while somebody watches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import Any

FRESH_SECONDS = 5.0
"""A result is not refreshed before this time has passed."""
_BACKOFF = 10
"""Nor before this many times its query's duration: so watching takes at most a tenth of Trino's time."""
_STALE_SECONDS = 60.0
"""The longest that the duration may delay a refresh: a query may only have been slow because Trino had just started."""

Rows = list[dict[str, Any]]


class UnavailableError(Exception):
    """The server is unavailable, for all queries."""


class QueryFailedError(Exception):
    """A single query failed."""


@dataclass(frozen=True)
class QueryResult:
    """`asked_at` (seconds since the epoch) and `seconds` (the duration) belong to `rows`; `error` is more recent."""

    rows: Rows | None = None
    asked_at: float | None = None
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Outage:
    since: float
    problem: str


class QueryCache:
    """The latest result of each query. Queries run one at a time, in order, for all viewers together."""

    def __init__(self, queries: Mapping[str, Callable[[], Rows]], fresh: float = FRESH_SECONDS) -> None:
        self._queries = queries
        self._fresh = fresh
        self._lock = Lock()
        self._results = {name: QueryResult() for name in queries}
        self._due = dict.fromkeys(queries, 0.0)
        self._outage: Outage | None = None
        self._refreshing = False
        self._refreshed_once = Event()

    def snapshot(self, patience: float) -> dict[str, Any]:
        """Return the cached results, and refresh them if they are due.

        It does not block, except before the first refresh has finished: then it waits up to `patience` seconds.
        """
        with self._lock:
            if not self._refreshing and monotonic() >= min(self._due.values()):
                self._refreshing = True
                # A daemon, so that a stopping worker does not wait for the queries.
                Thread(target=self._refresh, name="dashboard", daemon=True).start()
        self._refreshed_once.wait(patience)
        with self._lock:
            return {
                "now": time(),
                "asking": self._refreshing,
                "away": self._outage,
                "queries": dict(self._results),
            }

    def _refresh(self) -> None:
        try:
            for name, query in self._queries.items():
                if monotonic() >= self._due[name]:
                    self._run(name, query)
            with self._lock:
                self._outage = None
        except UnavailableError as error:
            with self._lock:
                self._outage = Outage(self._outage.since if self._outage else time(), str(error))
                self._due = dict.fromkeys(self._due, monotonic() + self._fresh)
        finally:
            with self._lock:
                self._refreshing = False
            self._refreshed_once.set()

    def _run(self, name: str, query: Callable[[], Rows]) -> None:
        asked_at, began = time(), monotonic()
        old = self._results[name]
        try:
            rows = query()
        except QueryFailedError as error:
            result = QueryResult(old.rows, old.asked_at, old.seconds, str(error))
        else:
            result = QueryResult(rows, asked_at, monotonic() - began)
        with self._lock:
            self._results[name] = result
            self._due[name] = began + max(self._fresh, min(_STALE_SECONDS, _BACKOFF * (monotonic() - began)))
