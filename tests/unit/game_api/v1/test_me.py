"""`GET /v1/me`."""

from pathlib import Path
from random import Random

import pytest
from game_api import create_app
from game_api.identity.identity import Identity
from game_api.identity.ingestion_keys import digest, new_key
from game_api.identity.player_tokens import new_secret
from game_api.identity.settings import IdentitySettings
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.identity.provider import write
from tests.unit.game_api.identity.test_identity import MemoryClaims
from tests.unit.game_api.memory_log import HOST, MemoryLog, client_of
from tests.unit.game_api.v1.conftest import Start


@pytest.fixture
def loader() -> str:
    return new_key()


@pytest.fixture
def claimed(tmp_path: Path, loader: str) -> Client:
    """An API in mode claimed."""
    keys = write(tmp_path / "keys", f"loader {digest(loader)} events:write,players:any\n")
    settings = IdentitySettings(
        mode="claimed", token_secrets=write(tmp_path / "secrets", new_secret()), ingestion_keys=keys
    )
    return client_for(create_app(MemoryLog(), random=Random(7), identity=Identity(settings, MemoryClaims())))


def test_everyone_is_believed_in_mode_open():
    """In mode open the name is not proven, and everything is allowed; without a world there is no hero."""
    answer = client_of(MemoryLog()).get("/v1/me")
    assert answer.json == {
        "player": HOST,
        "mode": "open",
        "proven": False,
        "scopes": ["events:write", "play", "players:any"],
    }


def test_a_hero_is_that_of_the_old_path(game: Start):
    """With a world the response has what `/heroes` shows, stamina too."""
    client = game()
    headers = {"X-Player": "Lancelot", "Idempotency-Key": "k1"}
    assert client.post("/v1/actions/found_guild", json={"guild": "Knights"}, headers=headers).status_code == 200
    answer = client.get("/v1/me", headers={"X-Player": "Lancelot"})
    assert answer.json["player"] == "lancelot"
    assert answer.json["hero"] == client.get("/heroes/Lancelot").json
    assert answer.json["hero"]["stamina"] == 90


def test_a_new_hero_has_the_name_as_given(game: Start):
    """Of whom nobody has heard, the hero has the given spelling, as on the old path."""
    me = game().get("/v1/me", headers={"X-Player": "Percival"}).json
    assert (me["player"], me["hero"]["player"], me["hero"]["known"]) == ("percival", "Percival", False)


def test_a_token_proves_the_player(claimed: Client):
    """The player is the token's; nobody else may be named, and without a token nobody is known."""
    first = claimed.post("/v1/actions/default", headers={"X-Player": "Gawain"})
    token = {"Authorization": f"Bearer {first.headers['Player-Token']}"}
    answer = claimed.get("/v1/me", headers=token)
    assert answer.json == {"player": "gawain", "mode": "claimed", "proven": True, "scopes": ["events:write", "play"]}
    assert claimed.get("/v1/me", headers={**token, "X-Player": "other"}).status_code == 403
    assert claimed.get("/v1/me").json["type"] == "/v1/problems/unauthorized"


def test_looking_claims_no_name(claimed: Client):
    """A request for a new name gets no token: the name stays free."""
    answer = claimed.get("/v1/me", headers={"X-Player": "galahad"})
    assert (answer.status_code, "Player-Token" in answer.headers) == (401, False)
    assert claimed.post("/v1/actions/default", headers={"X-Player": "galahad"}).status_code == 200


def test_a_key_is_named(claimed: Client, loader: str):
    """An ingestion key has its name and its scopes, and proves no player."""
    answer = claimed.get("/v1/me", headers={"Authorization": f"Bearer {loader}", "X-Player": "anybody"})
    assert answer.json["key"] == "loader"
    assert (answer.json["proven"], answer.json["scopes"]) == (False, ["events:write", "players:any"])
