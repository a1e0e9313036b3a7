"""The problems that version 1 reports (RFC 9457)."""

import pytest
from game_api.v1.problems import PROBLEMS
from game_events import EVENT_TYPES
from game_world.refusals import Reason, reason_of
from werkzeug.test import TestResponse

from tests.unit.game_api.memory_log import MemoryLog, client_of
from tests.unit.game_api.v1.conftest import Start

KEY = {"Idempotency-Key": "k1"}


def check(answer: TestResponse, kind: str, status: int) -> None:
    """The response is this problem, with all that RFC 9457 names but `instance`."""
    assert answer.mimetype == "application/problem+json"
    assert answer.json["type"] == f"/v1/problems/{kind}"
    assert (answer.status_code, answer.json["status"]) == (status, status)
    assert answer.json["title"] == PROBLEMS[kind].title
    assert answer.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("GET", "/v1", "not-found", 404),
        ("GET", "/v1/", "not-found", 404),
        ("GET", "/v1/nothing", "not-found", 404),
        ("POST", "/v1/actions/dance", "not-found", 404),
        ("GET", "/v1/problems/nothing", "not-found", 404),
        ("GET", "/v1/actions/default", "method-not-allowed", 405),
        ("PUT", "/v1/events", "method-not-allowed", 405),
        ("POST", "/v1/events", "unsupported-media-type", 415),
    ],
)
def test_every_error_is_a_problem(method: str, path: str, kind: str, status: int):
    """Unknown paths, other methods and other bodies are problems, too, whatever Accept says."""
    check(client_of(MemoryLog()).open(path, method=method, headers={"Accept": "text/plain"}), kind, status)


def test_too_large_and_speculative_requests_are_problems():
    """So is what is refused before a body or the rules are looked at."""
    client = client_of(MemoryLog())
    check(client.post("/v1/actions/default", data=b" " * 1_100_000), "body-too-large", 413)
    check(client.post("/v1/actions/default", headers={"Purpose": "prefetch"}), "speculative-request", 403)


def test_old_paths_have_their_old_errors():
    """Beside version 1, errors are text, or JSON with `error`."""
    client = client_of(MemoryLog())
    assert client.get("/v2").mimetype == "text/plain"
    assert client.get("/v1x", headers={"Accept": "application/json"}).json.keys() == {"error"}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_problems_type_leads_to_its_explanation(kind: str):
    """The path in `type` answers, with the same title."""
    answer = client_of(MemoryLog()).get(f"/v1/problems/{kind}")
    assert answer.json == {
        "type": f"/v1/problems/{kind}",
        "title": PROBLEMS[kind].title,
        "status": PROBLEMS[kind].status,
    }


def test_all_problems_are_listed():
    """One request lists all types."""
    listed = client_of(MemoryLog()).get("/v1/problems").json["problems"]
    assert [problem["type"] for problem in listed] == [f"/v1/problems/{kind}" for kind in PROBLEMS]


def test_every_refusal_by_the_rules_has_a_type():
    """Each precondition of each action has a reason of its own in the table, not the general one."""
    reasons = {reason_of(each) for action in EVENT_TYPES.values() for each in action.preconditions + action.in_v1}
    assert Reason.NOT_ENOUGH not in reasons
    assert set(Reason) <= PROBLEMS.keys()


@pytest.mark.parametrize(
    ("action", "body", "kind", "field"),
    [
        ("purchase_castle", {}, "not-enough-gold", "gold"),
        ("drink_potion", {}, "item-missing", "item"),
        ("sell_item", {"item": "sword"}, "item-missing", "item"),
        ("duel", {"target": "nobody"}, "target-unknown", "target"),
        ("duel", {"target": "localhost"}, "target-is-yourself", "target"),
        ("leave_guild", {}, "in-no-guild", "guild"),
        ("throw_dice", {"amount": 41}, "amount-too-large", "amount"),
    ],
)
def test_the_rules_say_why(game: Start, action: str, body: dict[str, object], kind: str, field: str):
    """A 409 has a type per reason, and the field of the old response."""
    answer = game().post(f"/v1/actions/{action}", json=body, headers=KEY)
    check(answer, kind, 409)
    assert answer.json["field"] == field


def test_a_reused_key_is_a_problem(game: Start):
    """A key that was used with other parameters is not a refusal by the game."""
    client = game()
    assert client.post("/v1/actions/throw_dice", json={"amount": 1}, headers=KEY).status_code == 200
    check(client.post("/v1/actions/throw_dice", json={"amount": 2}, headers=KEY), "key-reused", 409)
