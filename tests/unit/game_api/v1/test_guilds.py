"""In version 1 a guild is founded before it is joined."""

from game_api import create_app
from game_world.store import Store
from game_world.world import World
from werkzeug.test import Client, TestResponse

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog, client_of
from tests.unit.game_api.v1.conftest import Start
from tests.unit.game_world.topic import NO_LIMIT


def join(client: Client, player: str, key: str = "") -> TestResponse:
    headers = {"X-Player": player} | ({"Idempotency-Key": key} if key else {})
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
