"""The dashboard without Trino: the page, what it says when nobody answers, and how answers are kept."""

from collections.abc import Callable
from random import Random
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from flask.testing import FlaskClient
from game_api import create_app
from game_api.pages.answers import Answers, AwayError, QuestionError, Rows
from game_api.pages.queries import QUERIES
from testbed.settings import Ports
from testbed.waiting import wait_until

from tests.unit.game_api.memory_log import MemoryLog


@pytest.fixture
def client() -> FlaskClient:
    """Of a service whose Trino is not there."""
    url = f"http://127.0.0.1:{Ports.free().trino}"
    return create_app(MemoryLog(), random=Random(7), trino_url=url).test_client()


def answers_of(ask: Callable[[], Rows], fresh: float = 60) -> Answers:
    return Answers({"question": ask}, fresh)


def question(answers: Answers, patience: float = 5) -> dict[str, Any]:
    """Look, and return what is known of the one question."""
    return dict(vars(answers.look(patience)["queries"]["question"]))


def test_the_page_and_what_it_needs_are_served(client: FlaskClient) -> None:
    """The page allows its browser nothing from elsewhere, and each file that it names is there."""
    page = client.get("/dashboard")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert 'href="/play"' in page.text
    for file in ("dashboard.css", "dashboard.js", "sections.js", "plots.js"):
        assert client.get(f"/static/{file}").status_code == 200


def test_a_head_is_refused_nothing_but_has_no_effect(client: FlaskClient) -> None:
    """A HEAD of the page has its headers and no body."""
    head = client.head("/dashboard")
    assert (head.status_code, head.data) == (200, b"")


def test_without_trino_the_data_say_so(client: FlaskClient) -> None:
    """When nobody listens at Trino's address, the answer is still 200, and names since when and why."""
    answer = client.get("/dashboard/data")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json or {}
    assert body["away"]["problem"] == "nobody listens there"
    assert 0 <= body["now"] - body["away"]["since"] < 30
    assert set(body["queries"]) == set(QUERIES)
    assert all(query["rows"] is None for query in body["queries"].values())


def test_without_an_address_there_is_no_dashboard() -> None:
    """A service that knows no Trino says so in its data, and serves the page, which shows that."""
    client = create_app(MemoryLog(), random=Random(7)).test_client()
    answer = client.get("/dashboard/data")
    assert (answer.status_code, answer.json) == (503, {"error": "there is no dashboard here: TRINO_URL is not set"})
    assert client.get("/dashboard").status_code == 200


def test_who_looks_at_once_asks_once() -> None:
    """Ten who look at the same time cause one question, and all get its answer."""
    asked: list[None] = []
    together = Barrier(10)
    seen: list[Rows | None] = []

    def ask() -> Rows:
        asked.append(None)
        return [{"number": len(asked)}]

    answers = answers_of(ask)

    def look() -> None:
        together.wait()
        seen.append(question(answers)["rows"])

    watchers = [Thread(target=look) for _ in range(10)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join()
    assert seen == [[{"number": 1}]] * 10
    assert len(asked) == 1


def test_nobody_waits_long_for_the_first_answer() -> None:
    """While the first answer takes long, who looks is told that it is being asked."""
    done = Event()

    def ask() -> Rows:
        done.wait(10)
        return []

    answers = answers_of(ask)
    looked = answers.look(0.1)
    assert looked["asking"] is True
    assert looked["queries"]["question"].rows is None
    done.set()
    wait_until("an answer", lambda: question(answers)["rows"] == [], 10)


def test_an_old_answer_is_shown_while_a_new_one_is_asked_for() -> None:
    """Who looks later gets the old answer at once, and causes the next question."""
    number = 0
    go = Event()
    go.set()

    def ask() -> Rows:
        nonlocal number
        go.wait(10)
        number += 1
        return [{"number": number}]

    answers = answers_of(ask, fresh=0)
    assert question(answers)["rows"] == [{"number": 1}]
    go.clear()
    wait_until("a refresh", lambda: answers.look(0)["asking"], 10)
    assert question(answers)["rows"] == [{"number": 1}]
    go.set()
    wait_until("the next answer", lambda: question(answers)["rows"] != [{"number": 1}], 10)


@pytest.mark.parametrize("error", [AwayError("gone"), QuestionError("no such table")])
def test_what_was_known_stays_when_the_next_question_fails(error: Exception) -> None:
    """An error later leaves rows and their time as they were; it is over with the next answer."""
    problem: list[Exception] = []

    def ask() -> Rows:
        if problem:
            raise problem[0]
        return [{"number": 1}]

    answers = answers_of(ask, fresh=0)
    known = question(answers)
    problem.append(error)

    def failed() -> bool:
        looked = answers.look(0)
        return bool(looked["away"] or looked["queries"]["question"].error)

    wait_until("the error", failed, 10)
    assert question(answers)["rows"] == known["rows"]
    problem.clear()
    wait_until("an end of it", lambda: not failed(), 10)
