"""Limits: whose they are, what requests cost, and that they hold while there is no store."""

from collections import Counter

import pytest
from flask.testing import FlaskClient
from game_api import create_app
from game_world.limits import UNKNOWN, Limit, LocalBuckets, client
from game_world.store import Store
from game_world.world import World

from tests.unit.game_api.memory_log import MemoryLog

AWAY = "redis://127.0.0.1:1"
JSON = {"Accept": "application/json"}


def game(player: int = 0, address: int = 0) -> FlaskClient:
    """A service whose store is away, with bursts of so many, and no more within a test."""
    world = World(Store(AWAY), Limit(min(1, player), player), Limit(min(1, address), address))
    return create_app(MemoryLog(), world).test_client()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:51234", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:0:2", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("", UNKNOWN),
        ("unknown", UNKNOWN),
        ("_hidden", UNKNOWN),
        ("nonsense:", UNKNOWN),
        ("192.0.2.1:2:3", UNKNOWN),
        ("[", UNKNOWN),
    ],
)
def test_an_address_has_one_limit_however_it_is_written(address: str, expected: str) -> None:
    """A port, brackets and a zone do not matter; all that is no address shares one limit."""
    assert client(address) == expected


def test_all_is_taken_or_nothing() -> None:
    """A request that one bucket refuses takes nothing of the others."""
    buckets, mine, theirs = LocalBuckets(), ("mine", 10**6, 2, 1), ("theirs", 10**6, 1, 1)
    assert buckets.take([mine, theirs]) is None
    for _ in range(5):
        refused = buckets.take([mine, theirs])
        assert refused is not None
        assert refused.limit == "theirs"
    assert buckets.take([mine]) is None
    assert buckets.take([mine]) is not None


def test_what_costs_more_than_a_bucket_holds_is_owed() -> None:
    """It takes a full bucket, and whoever asked pays for all of it before asking again."""
    buckets = LocalBuckets()
    assert buckets.take([("one", 10**6, 5, 100)]) is None
    refused = buckets.take([("one", 10**6, 5, 1)])
    assert refused is not None
    assert 95e6 < refused.wait < 97e6


def test_what_is_kept_is_bounded() -> None:
    """Invented names do not fill the process, and addresses stay limited."""
    buckets, address = LocalBuckets(), ("limit:address:192.0.2.1", 10**6, 1, 1)
    assert buckets.take([address]) is None
    for number in range(25_000):
        buckets.take([(f"limit:player:{number}", 10**9, 1, 1)])
    assert len(buckets) <= 10_000
    assert buckets.take([address]) is not None


def test_limits_hold_without_the_store() -> None:
    """A store that is away takes away no limit."""
    asked = game(player=5)
    statuses = Counter(asked.get("/", headers={"X-Player": "hasty"}).status_code for _ in range(20))
    assert statuses == {200: 5, 429: 15}
    assert asked.get("/", headers={"X-Player": "patient"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/duel", 400), ("/?x=1", 400), ("/world?after=x", 400), ("/heroes/ada", 503)],
)
def test_errors_and_looks_cost_a_token_of_the_address(path: str, status: int) -> None:
    """What comes to nothing is not free, nor is a look at the world."""
    asked = game(address=3)
    assert [asked.get(path).status_code for _ in range(5)] == [status] * 3 + [429] * 2


@pytest.mark.parametrize("body", ["[", "{}", "[]", '[{"event_type":"nothing"}]'])
def test_bad_bulk_costs_a_token(body: str) -> None:
    """A body that is no list of events costs one token, like a list of one that is none."""
    asked = game(address=2)
    statuses = [asked.post("/events", data=body, content_type="application/json").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_bulk_costs_what_it_holds() -> None:
    """Each event costs a token of the address, and of the player whom it names."""
    items = [{"event_type": "default", "player": player} for player in ("ada", "ada", "bob")]
    asked = game(address=7)
    assert [asked.post("/events", json=items).status_code for _ in range(3)] == [200, 200, 429]
    asked = game(player=4)
    assert asked.post("/events", json=items, headers={"X-Player": "eve"}).status_code == 200
    assert asked.post("/events", json=items, headers={"X-Player": "eve"}).status_code == 200
    refused = asked.post("/events", json=items, headers={"X-Player": "eve", **JSON})
    assert (refused.status_code, refused.json["field"]) == (429, "player")
    # Nothing was taken of those who had enough.
    assert [asked.get("/", headers={"X-Player": "bob"}).status_code for _ in range(3)] == [200, 200, 429]
