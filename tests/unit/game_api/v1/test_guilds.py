"""In version 1 a guild is founded before it is joined."""

from game_api import create_app
from game_world.store import Store, key
from game_world.world import World
from werkzeug.test import Client, TestResponse

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog, client_of
from tests.unit.game_api.v1.conftest import Start
from tests.unit.game_world.topic import NO_LIMIT, Topic


def join(client: Client, player: str, once: str = "") -> TestResponse:
    headers = {"X-Player": player} | ({"Idempotency-Key": once} if once else {})
    return client.post("/v1/actions/join_guild", json={"guild": "Knights"}, headers=headers)


def test_a_guild_must_be_founded_first(game: Start, log: MemoryLog):
    """Nobody joins a guild without members; once it is founded, others do, and again under their key."""
    client = game()
    refused = join(client, "ada")
    assert (refused.status_code, refused.json["type"]) == (409, "/v1/problems/guild-unknown")
    assert refused.json["detail"] == "There is no guild Knights: found it first"
    assert refused.json["field"] == "guild"
    assert not log.records
    founder = {"X-Player": "bob", "Idempotency-Key": "k1"}
    assert client.post("/v1/actions/found_guild", json={"guild": "knights"}, headers=founder).status_code == 200
    assert [join(client, "ada", "k2").status_code for _ in range(2)] == [200, 200]
    assert client.get("/v1/me", headers={"X-Player": "ada"}).json["hero"]["guild"] == "Knights"


def test_a_guild_that_nobody_is_in_has_gone(game: Start):
    """After its last member has left it, a guild must be founded again."""
    client = game()
    founder = {"X-Player": "bob"}
    for number, (action, body) in enumerate([("found_guild", {"guild": "knights"}), ("leave_guild", {})]):
        headers = {**founder, "Idempotency-Key": str(number)}
        assert client.post(f"/v1/actions/{action}", json=body, headers=headers).status_code == 200
    assert join(client, "ada").status_code == 409


def test_the_old_path_joins_any_guild(game: Start):
    """The older path stays as it was, and who joined by it has founded the guild for version 1."""
    client = game()
    assert client.post("/join_a_guild?guild=Knights", headers={"X-Player": "bob"}).status_code == 200
    assert join(client, "ada").status_code == 200


def test_events_of_other_writers_found_guilds(store: Store, log: MemoryLog):
    """A guild that somebody joined by a bulk, or by another program's event, has a member, so it can be joined."""
    topic = Topic(store)
    client = client_for(create_app(log, World(store, NO_LIMIT, NO_LIMIT)))
    items = [{"event_type": "join_guild", "guild": "knights", "player": "bob"}]
    assert client.post("/events", json=items).status_code == 200
    assert join(client, "ada").status_code == 409
    topic.write(*log.events)
    topic.project()
    assert join(client, "ada").status_code == 200


def test_a_world_that_is_being_rebuilt_cannot_say(store: Store, log: MemoryLog):
    """Until the topic has been read, version 1 lets nobody join, because the founding may not have been read yet."""
    Topic(store)
    store.redis.delete(key("caught_up"))
    client = client_for(create_app(log, World(store, NO_LIMIT, NO_LIMIT)))
    assert join(client, "ada").json["type"] == "/v1/problems/world-unavailable"
    assert client.post("/join_a_guild?guild=Knights", headers={"X-Player": "bob"}).status_code == 200


def test_a_full_world_says_so(game: Start, store: Store, log: MemoryLog):
    """New players of a full world join no guild in version 1, and hear why; the older path writes their event."""
    client = game()
    assert client.post("/join_a_guild?guild=Knights", headers={"X-Player": "bob"}).status_code == 200
    store.redis.set(key("full"), 1)
    refused = join(client, "ada")
    assert (refused.status_code, refused.json["outcome"]) == (503, "refused")
    assert "the world is full" in refused.json["detail"]
    assert join(client, "bob").status_code == 200
    assert client.post("/join_a_guild?guild=Knights", headers={"X-Player": "ada"}).status_code == 200
    assert [event["player"] for event in log.events] == ["bob", "bob", "ada"]


def test_joining_no_guild_needs_none():
    """The guild is optional: without one there is nothing to be founded, nor to be decided."""
    assert client_of(MemoryLog()).post("/v1/actions/join_guild", json={}).status_code == 200


def test_the_document_says_so():
    """The OpenAPI document tells what joining needs, and leaves it out of the events of a bulk, in version 1 only."""
    paths = client_of(MemoryLog()).get("/openapi.json").json["paths"]
    join = paths["/v1/actions/join_guild"]["post"]
    assert join["description"] == "Needs a guild that was founded; without a world that can tell, it is a 503"
    assert {"409", "503"} <= join["responses"].keys()
    assert "description" not in paths["/v1/actions/declare_war"]["post"]
    items = {
        path: str(paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]["items"])
        for path in ("/events", "/v1/events")
    }
    assert ["schemas/join_guild" in items[path] for path in ("/events", "/v1/events")] == [True, False]


def test_without_the_world_nobody_can_say():
    """Without a world, or while it is unavailable, version 1 lets nobody join; the older path does."""
    away = client_for(create_app(MemoryLog(), World(Store("redis://127.0.0.1:1"), NO_LIMIT, NO_LIMIT)))
    for client in (client_of(MemoryLog()), away):
        assert join(client, "ada").json["type"] == "/v1/problems/world-unavailable"
        assert client.post("/join_a_guild?guild=Knights").status_code == 200


def test_a_bulk_cannot_join():
    """In `/v1/events` joining is an invalid event, as are all that the rules decide; in `/events` it is not."""
    log = MemoryLog()
    items = [{"event_type": "join_guild", "guild": "knights"}, {"event_type": "default"}]
    first, second = client_of(log).post("/v1/events", json=items).json["results"]
    assert (first["type"], first["field"], second["status"]) == ("/v1/problems/invalid-event", "event_type", 200)
    assert client_of(log).post("/events", json=items).status_code == 200
