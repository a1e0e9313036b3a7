"""The headers `RateLimit` and `RateLimit-Policy`."""

from random import Random

import pytest
from game_api import create_app
from game_world.limits import Limit
from game_world.store import Store
from game_world.world import World
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog
from tests.unit.game_api.v1.conftest import Start

PLAYER, ADDRESS = Limit(1, 3), Limit(2, 100)
POLICY = '"address";q=100;w=50, "player";q=3;w=3'


@pytest.fixture(params=["store", "process"])
def limited(request: pytest.FixtureRequest, game: Start) -> Client:
    """An API with limits that the store counts, or the process while the store is unavailable."""
    if request.param == "store":
        return game(PLAYER, ADDRESS)
    return client_for(create_app(MemoryLog(), World(Store("redis://127.0.0.1:1"), PLAYER, ADDRESS), random=Random(7)))


def test_an_action_tells_what_is_left(limited: Client):
    """Each request leaves one token less to its player and its address, down to a 429."""
    answers = [limited.post("/v1/actions/default") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {POLICY}
    assert answers[0].headers["RateLimit"] == '"address";r=99;t=1, "player";r=2;t=1'
    assert answers[2].headers["RateLimit"] == '"address";r=97;t=2, "player";r=0;t=3'
    assert answers[3].headers["RateLimit"] == '"address";r=97;t=2, "player";r=0;t=3'
    assert answers[3].json["type"] == "/v1/problems/too-many-requests"


def test_errors_and_refusals_tell_it_too(game: Start):
    """Whatever the response, it says what was charged."""
    client = game(PLAYER, ADDRESS)
    refused = client.post("/v1/actions/leave_guild", json={}, headers={"Idempotency-Key": "k1"})
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (409, POLICY)
    yourself = client.post("/v1/actions/duel", json={"target": "localhost"}, headers={"Idempotency-Key": "k2"})
    assert (yourself.status_code, yourself.headers["RateLimit-Policy"]) == (409, POLICY)
    unknown = client.get("/v1/nothing")
    assert (unknown.status_code, unknown.headers["RateLimit-Policy"]) == (404, '"address";q=100;w=50')


def test_a_bulk_tells_of_the_player_with_the_least_left(game: Start):
    """Of the players that a bulk request names, the one with the least tokens left counts."""
    items = [{"event_type": "default", "player": player} for player in ("a", "b", "b")]
    answer = game(Limit(1, 9), ADDRESS).post("/v1/events", json=items)
    assert answer.headers["RateLimit"] == '"address";r=97;t=2, "player";r=7;t=2'


def test_old_paths_and_unlimited_ones_tell_nothing(game: Start):
    """The old paths' responses are unchanged, and without limits there is nothing to tell."""
    assert "RateLimit" not in game(PLAYER, ADDRESS).post("/").headers
    assert "RateLimit" not in game().post("/v1/actions/default").headers
