"""Limits: whose they are, what requests cost, and that they hold without the store."""

from collections import Counter
from collections.abc import Callable

import pytest
from game_api import create_app
from game_world.limits import UNKNOWN, Bucket, Exceeded, Limit, LocalBuckets, client
from game_world.store import Store
from game_world.world import World
from testbed.waiting import wait_until
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog

UNAVAILABLE = "redis://127.0.0.1:1"
JSON = {"Accept": "application/json"}


def game(player: int = 0, address: int = 0) -> Client:
    """An API whose store is unavailable, with bursts of so many that do not refill within a test."""
    world = World(Store(UNAVAILABLE), Limit(min(0.001, player), player), Limit(min(0.001, address), address))
    return client_for(create_app(MemoryLog(), world))


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
    """A port, brackets and a zone do not matter; everything that is no address shares one limit."""
    assert client(address) == expected


Take = Callable[[list[Bucket]], Exceeded | None]


@pytest.fixture(params=["store", "process"])
def take(request: pytest.FixtureRequest) -> Take:
    """The buckets of the store, and those of a process while it is unavailable: they follow the same rule."""
    if request.param == "process":
        return LocalBuckets().take
    store: Store = request.getfixturevalue("store")

    def take(buckets: list[Bucket]) -> Exceeded | None:
        reply = store.decide({"limits": buckets})
        return Exceeded(**reply) if reply else None

    return take


def test_a_burst_is_limited(take: Take) -> None:
    """A bucket gives as many tokens as it holds, and then one per interval."""
    bucket = Bucket("one", 10**7, 3)
    refused = [take([bucket]) for _ in range(4)]
    assert refused[:3] == [None] * 3
    assert refused[3] is not None
    assert 0 < refused[3].wait <= 10**7
    quick = Bucket("two", 20_000, 1)
    assert take([quick]) is None
    wait_until("a token", lambda: take([quick]) is None, pause=0.01)


def test_all_is_taken_or_nothing(take: Take) -> None:
    """A request that one bucket refuses takes nothing from the others."""
    mine, theirs = Bucket("mine", 10**7, 2), Bucket("theirs", 10**7, 1)
    assert take([mine, theirs]) is None
    for _ in range(5):
        refused = take([mine, theirs])
        assert refused is not None
        assert refused.limit == "theirs"
    assert take([mine]) is None
    assert take([mine]) is not None


def test_a_cost_above_the_burst_is_owed(take: Take) -> None:
    """It takes a full bucket, and all of it must be paid back before the next request."""
    assert take([Bucket("one", 10**6, 5, 100)]) is None
    refused = take([Bucket("one", 10**6, 5)])
    assert refused is not None
    assert 90e6 < refused.wait < 97e6


def test_what_is_kept_is_bounded() -> None:
    """Invented names do not fill memory, and addresses stay limited."""
    buckets, address = LocalBuckets(), Bucket("limit:address:192.0.2.1", 10**9, 1)
    assert buckets.take([address]) is None
    for number in range(25_000):
        buckets.take([Bucket(f"limit:player:{number}", 10**9, 1)])
    assert len(buckets) <= 10_000
    assert buckets.take([address]) is not None


def test_limits_hold_without_the_store() -> None:
    """Limits hold while the store is unavailable."""
    asked = game(player=5)
    statuses = Counter(asked.get("/", headers={"X-Player": "fast"}).status_code for _ in range(20))
    assert statuses == {200: 5, 429: 15}
    assert asked.get("/", headers={"X-Player": "patient"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/duel", 405), ("/?x=1", 400), ("/world?after=x", 400), ("/heroes/ada", 503)],
)
def test_errors_and_reads_cost_a_token_of_the_address(path: str, status: int) -> None:
    """Requests that fail are not free, nor are those that read the world."""
    asked = game(address=3)
    assert [asked.get(path).status_code for _ in range(5)] == [status] * 3 + [429] * 2


@pytest.mark.parametrize("body", ["[", "{}", "[]", '[{"event_type":"nothing"}]'])
def test_bad_bulk_costs_a_token(body: str) -> None:
    """A body that is no list of events costs one token, as does a list of one invalid event."""
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
    # The refused request took nothing from the others.
    assert [asked.get("/", headers={"X-Player": "bob"}).status_code for _ in range(3)] == [200, 200, 429]
