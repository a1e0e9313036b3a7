"""The headers `RateLimit` and `RateLimit-Policy`."""

import re
from random import Random

import pytest
from game_api import create_app
from game_world.limits import Limit
from game_world.store import Store
from game_world.world import World
from werkzeug.test import Client, TestResponse

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog
from tests.unit.game_api.v1.conftest import Start

# No token comes back within a test.
PLAYER, ADDRESS = Limit(0.001, 3), Limit(0.002, 100)
POLICY = '"address";q=100;w=50000, "player";q=3;w=3000'


@pytest.fixture(params=["store", "process"])
def limited(request: pytest.FixtureRequest, game: Start) -> Client:
    """An API with limits that the store counts, or the process while the store is unavailable."""
    if request.param == "store":
        return game(PLAYER, ADDRESS)
    return client_for(create_app(MemoryLog(), World(Store("redis://127.0.0.1:1"), PLAYER, ADDRESS), random=Random(7)))


def told(answer: TestResponse) -> str:
    """The header `RateLimit`, as of the first request: seconds that passed since then are added again."""
    return re.sub(r"t=(\d+)", lambda found: f"t={-(-int(found[1]) // 500) * 500}", answer.headers["RateLimit"])


def test_an_action_tells_what_is_left(limited: Client):
    """Each request leaves one token less to its player and its address, down to a 429."""
    answers = [limited.post("/v1/actions/default") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {POLICY}
    assert told(answers[0]) == '"address";r=99;t=500, "player";r=2;t=1000'
    assert told(answers[2]) == '"address";r=97;t=1500, "player";r=0;t=3000'
    assert told(answers[3]) == '"address";r=97;t=1500, "player";r=0;t=3000'
    assert answers[3].json["type"] == "/v1/problems/too-many-requests"


def test_errors_and_refusals_tell_it_too(game: Start):
    """Whatever the response, it says what was charged."""
    client = game(PLAYER, ADDRESS)
    refused = client.post("/v1/actions/leave_guild", json={}, headers={"Idempotency-Key": "k1"})
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (409, POLICY)
    yourself = client.post("/v1/actions/duel", json={"target": "localhost"}, headers={"Idempotency-Key": "k2"})
    assert (yourself.status_code, yourself.headers["RateLimit-Policy"]) == (409, POLICY)
    unknown = client.get("/v1/nothing")
    assert (unknown.status_code, unknown.headers["RateLimit-Policy"]) == (404, '"address";q=100;w=50000')


def test_a_bulk_tells_of_the_player_with_the_least_left(game: Start):
    """Of the players that a bulk request names, the one with the least tokens left counts."""
    items = [{"event_type": "default", "player": player} for player in ("a", "b", "b")]
    answer = game(Limit(0.001, 9), ADDRESS).post("/v1/events", json=items)
    assert told(answer) == '"address";r=97;t=1500, "player";r=7;t=2000'


def test_old_paths_and_unlimited_ones_tell_nothing(game: Start):
    """The old paths' responses are unchanged, and without limits there is nothing to tell."""
    assert "RateLimit" not in game(PLAYER, ADDRESS).post("/").headers
    assert "RateLimit" not in game().post("/v1/actions/default").headers
