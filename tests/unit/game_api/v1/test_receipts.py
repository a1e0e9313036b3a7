"""`GET /v1/events/<event id>`."""

import socket
from collections.abc import Iterator
from random import Random
from time import monotonic

import pytest
from game_api import create_app
from game_api.pages.site import Site, players_pages
from game_api.v1.table_lookup import TableLookup, lookup_query
from game_events.event_ids import uuid7s
from game_trino.settings import TrinoSettings
from game_world.store import Store
from game_world.world import World

from tests.unit.game_api.client import client_for, run
from tests.unit.game_api.memory_log import HOST, MemoryLog, client_of
from tests.unit.game_api.v1.conftest import Start
from tests.unit.game_world.topic import NO_LIMIT


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a Trino that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_the_store_knows_where_an_event_is(game: Start):
    """The receipt has the place that the action's response had, also for an id with a slash, and that of a repeat."""
    client = game()
    acked = client.post("/v1/actions/explore", json={}, headers={"Idempotency-Key": "a/1"}).json
    client.post("/v1/actions/explore", json={}, headers={"Idempotency-Key": "a/1"})
    receipt = client.get("/v1/events/a/1").json
    assert (receipt["event_id"], receipt["player"]) == ("a/1", HOST)
    place = {"event_type": "explore", "partition": acked["partition"], "offset": acked["offset"]}
    assert receipt["kafka"] == {"state": "stored", "records": [place]}
    assert receipt["table"] == {"state": "unavailable", "detail": "this service has no Trino"}


def test_another_players_event_is_not_found(game: Start):
    """A key is one of its player: others who use it learn nothing."""
    client = game()
    client.post("/v1/actions/explore", json={}, headers={"Idempotency-Key": "k1"})
    assert client.get("/v1/events/k1", headers={"X-Player": "other"}).json["kafka"]["state"] == "unknown"


def test_what_nobody_knows_is_said():
    """Without a world or Trino nothing is known, and the response says why."""
    receipt = client_of(MemoryLog()).get("/v1/events/k1").json
    assert receipt["kafka"] == {"state": "unknown", "detail": "this service has no world"}
    assert receipt["table"]["state"] == "unavailable"
    away = client_for(create_app(MemoryLog(), World(Store("redis://127.0.0.1:1"), NO_LIMIT, NO_LIMIT)))
    assert away.get("/v1/events/k1").json["kafka"] == {"state": "unknown", "detail": "the world is unavailable"}


def test_an_invalid_id_is_a_problem():
    """An id that no event can have is a 400, and the list of events cannot be read."""
    client = client_of(MemoryLog())
    assert client.get("/v1/events/" + "e" * 129).json["field"] == "event_id"
    assert client.get("/v1/events").status_code == 405
    assert client.post("/v1/events/k1").status_code == 405


def test_a_trino_that_hangs_is_waited_for_briefly(silent: str):
    """After its time a question is given up; as long as its thread is occupied, no more threads are."""
    site = Site(players_pages(None, "open"))
    lookup = TableLookup(TrinoSettings(silent), site, most=1, seconds=0.2)

    async def ask_twice() -> list[str]:
        return [(await lookup.find("ada", "k1"))["detail"] for _ in range(2)]

    began = monotonic()
    assert run(ask_twice()) == ["Trino did not answer in time", "too many questions to Trino at once"]
    assert monotonic() - began < 30


def test_an_unavailable_trino_is_said():
    """A Trino that refuses connections is unavailable, and is asked again the next time."""
    client = client_for(create_app(MemoryLog(), trino=TrinoSettings("http://127.0.0.1:1"), random=Random(7)))
    answers = [client.get("/v1/events/k1").json["table"] for _ in range(3)]
    assert answers == 3 * [{"state": "unavailable", "detail": "Trino: connection refused"}]


def test_a_query_reads_few_days_and_no_code():
    """The service's own ids tell the time; others are searched in the last days. Quotes stay part of the text."""
    [made] = uuid7s(1_700_000_000_000, 1)
    assert "BETWEEN from_unixtime(1700000000) - INTERVAL '1' HOUR" in lookup_query("ada", made)
    assert "INTERVAL '2' DAY" in lookup_query("ada", made.replace(made[:8], "x" * 8))
    query = lookup_query("o'neil", "k' OR 1=1")
    assert "event_id = 'k'' OR 1=1' AND player = 'o''neil' AND received_at > now() - INTERVAL '2' DAY" in query
