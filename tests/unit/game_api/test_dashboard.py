"""The dashboard without Trino: the page, unavailability, and the cache of query results."""

from collections.abc import Callable
from random import Random
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from game_api import create_app
from game_api.pages.queries import QUERIES
from game_api.pages.query_cache import QueryCache, QueryFailedError, Rows, UnavailableError
from game_trino.settings import TrinoSettings
from testbed.settings import Ports
from testbed.waiting import wait_until
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog


@pytest.fixture
def client() -> Client:
    """A client of the admin port of a service whose Trino is not running."""
    url = f"http://127.0.0.1:{Ports.free().trino}"
    return client_for(create_app(MemoryLog(), random=Random(7), trino=TrinoSettings(url)), is_admin=True)


def cache_of(query: Callable[[], Rows], fresh: float = 60) -> QueryCache:
    return QueryCache({"query": query}, fresh)


def result(cache: QueryCache, patience: float = 5) -> dict[str, Any]:
    """Return the cached result of the single query."""
    return dict(vars(cache.snapshot(patience)["queries"]["query"]))


def test_the_page_and_its_files_are_served(client: Client) -> None:
    """The page forbids its browser external content, and each file that it refers to exists."""
    page = client.get("/dashboard")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in page.text
    assert "style=" not in page.text
    for file in ("dashboard.css", "dashboard.js", "sections.js", "plots.js"):
        assert client.get(f"/static/{file}").status_code == 200


def test_a_head_has_no_body(client: Client) -> None:
    """The response to HEAD has no body."""
    head = client.head("/dashboard")
    assert (head.status_code, head.data) == (200, b"")


def test_an_unavailable_trino_is_reported(client: Client) -> None:
    """While Trino is unavailable, the response is still 200, and names the reason and the beginning."""
    answer = client.get("/dashboard/data")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json or {}
    assert body["away"]["problem"] == "connection refused"
    assert 0 <= body["now"] - body["away"]["since"] < 30
    assert set(body["queries"]) == set(QUERIES)
    assert all(query["rows"] is None for query in body["queries"].values())


def test_without_a_url_of_trino_there_is_no_dashboard() -> None:
    """A service without TRINO_URL says so in its data, and still serves the page, which shows that."""
    client = client_for(create_app(MemoryLog(), random=Random(7)), is_admin=True)
    answer = client.get("/dashboard/data")
    assert (answer.status_code, answer.json) == (503, {"error": "this service has no dashboard: TRINO_URL is not set"})
    assert client.get("/dashboard").status_code == 200


def test_simultaneous_viewers_cause_one_query() -> None:
    """Ten simultaneous viewers cause one query, and all get its result."""
    queries: list[None] = []
    together = Barrier(10)
    seen: list[Rows | None] = []

    def query() -> Rows:
        queries.append(None)
        return [{"number": len(queries)}]

    cache = cache_of(query)

    def view() -> None:
        together.wait()
        seen.append(result(cache)["rows"])

    viewers = [Thread(target=view) for _ in range(10)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert seen == [[{"number": 1}]] * 10
    assert len(queries) == 1


def test_nobody_waits_long_for_the_first_result() -> None:
    """If the first query takes long, the response says that it is running."""
    done = Event()

    def query() -> Rows:
        done.wait(10)
        return []

    cache = cache_of(query)
    seen = cache.snapshot(0.1)
    assert seen["asking"] is True
    assert seen["queries"]["query"].rows is None
    done.set()
    wait_until("a result", lambda: result(cache)["rows"] == [])


def test_an_old_result_is_shown_during_a_refresh() -> None:
    """A later viewer gets the old result at once, and causes the next query."""
    number = 0
    go = Event()
    go.set()

    def query() -> Rows:
        nonlocal number
        go.wait(10)
        number += 1
        return [{"number": number}]

    cache = cache_of(query, fresh=0)
    assert result(cache)["rows"] == [{"number": 1}]
    go.clear()
    wait_until("a refresh", lambda: cache.snapshot(0)["asking"])
    assert result(cache)["rows"] == [{"number": 1}]
    go.set()
    wait_until("the next result", lambda: result(cache)["rows"] != [{"number": 1}])


@pytest.mark.parametrize("error", [UnavailableError("gone"), QueryFailedError("no such table")])
def test_a_failed_refresh_keeps_the_old_result(error: Exception) -> None:
    """An error leaves the rows and their time unchanged, and disappears with the next result."""
    errors: list[Exception] = []

    def query() -> Rows:
        if errors:
            raise errors[0]
        return [{"number": 1}]

    cache = cache_of(query, fresh=0)
    known = result(cache)
    errors.append(error)

    def failed() -> bool:
        seen = cache.snapshot(0)
        return bool(seen["away"] or seen["queries"]["query"].error)

    wait_until("the error", failed)
    assert result(cache)["rows"] == known["rows"]
    errors.clear()
    wait_until("the end of the error", lambda: not failed())
