"""Callers of the API: what the modes allow, by requests."""

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from game_api import create_app
from game_api.identity.identity import Identity
from game_api.identity.ingestion_keys import digest, new_key
from game_api.identity.player_tokens import new_secret
from game_api.identity.settings import IdentitySettings
from game_events import EVENT_TYPES, FIRST
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.identity.provider import AUDIENCE, ISSUER, Key, key_set, write
from tests.unit.game_api.identity.test_identity import MemoryClaims
from tests.unit.game_api.memory_log import HOST, MemoryLog, client_of

KEY = Key("one")
JSON = {"Accept": "application/json"}
BULK = {"Content-Type": "application/json"}


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def kiosk() -> str:
    """An ingestion key without the scope `players:any`."""
    return new_key()


@pytest.fixture
def loader() -> str:
    """An ingestion key with the scope `players:any`."""
    return new_key()


@pytest.fixture
def keys(tmp_path: Path, kiosk: str, loader: str) -> str:
    lines = f"kiosk {digest(kiosk)} events:write\nloader {digest(loader)} events:write,players:any\n"
    return write(tmp_path / "keys", lines)


@pytest.fixture
def claimed(tmp_path: Path, keys: str, log: MemoryLog) -> Client:
    secrets = write(tmp_path / "secrets", new_secret())
    settings = IdentitySettings(mode="claimed", token_secrets=secrets, ingestion_keys=keys)
    return _client(log, Identity(settings, MemoryClaims()))


@pytest.fixture
def provided(tmp_path: Path, keys: str, log: MemoryLog) -> Client:
    jwks = write(tmp_path / "jwks.json", key_set(KEY))
    settings = IdentitySettings(mode="token", jwks=jwks, issuer=ISSUER, audience=AUDIENCE, ingestion_keys=keys)
    return _client(log, Identity(settings))


def _client(log: MemoryLog, identity: Identity) -> Client:
    return client_for(create_app(log, random=Random(7), identity=identity))


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **JSON, **headers}


def bulk(client: Client, token: str, *items: dict[str, Any]) -> Any:  # noqa: ANN401
    return client.post("/events", data=json.dumps(items), headers=bearer(token, **BULK))


def test_a_token_names_the_player_of_an_action(provided: Client, log: MemoryLog) -> None:
    """The player is the token's, not the Host header's; the name's spelling in X-Player is kept."""
    assert provided.post("/purchase_a_sword", headers=bearer(KEY.token())).status_code == 200
    assert provided.post("/", headers=bearer(KEY.token(), **{"X-Player": "Ada"})).status_code == 200
    first, second = log.events
    assert (first["player"], "player_name" in first, first["host"]) == ("ada", False, HOST)
    assert (second["player"], second["player_name"]) == ("ada", "Ada")
    assert "authorization" not in json.dumps(log.events).lower()


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({}, 401, "Authorization"),
        ({"X-Player": "ada"}, 401, "Authorization"),
        ({"Authorization": "Basic eDp5"}, 401, "Authorization"),
        ({"Authorization": "Bearer x"}, 401, "Authorization"),
        ({"Authorization": f"Bearer {KEY.token(exp=int(time.time()) - 60)}"}, 401, "Authorization"),
        ({"Authorization": f"Bearer {Key('one').token()}"}, 401, "Authorization"),
        ({"Authorization": f"Bearer {KEY.token()}", "X-Player": "bob"}, 403, "X-Player"),
    ],
)
def test_errors_have_the_usual_form(
    provided: Client, log: MemoryLog, headers: dict[str, str], status: int, field: str
) -> None:
    """A refused caller gets the reason as text or JSON, with the field, and nothing is written."""
    for path, options in (("/", {}), ("/events", {"data": '[{"event_type":"default"}]'})):
        answer = provided.post(path, headers={**BULK, **JSON, **headers}, **options)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json["field"]) == (status, field)
        assert answer.json["error"].startswith(f"{field}: ")
        assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
        text = provided.post(path, headers={**BULK, **headers}, **options)  # type: ignore[arg-type]
        assert text.text == f"{answer.json['error']}\n"
    assert log.records == []


def test_the_first_use_of_a_name_answers_with_its_token(claimed: Client, log: MemoryLog) -> None:
    """The response to the first action has the token, whatever its status; later ones do not."""
    answer = claimed.post("/explore", headers={"X-Player": "Ada"})
    assert answer.status_code == 503
    token = answer.headers["Player-Token"]
    answer = claimed.post("/", headers=bearer(token))
    assert (answer.status_code, "Player-Token" in answer.headers) == (200, False)
    assert [event["player"] for event in log.events] == ["ada"]
    answer = claimed.post("/", headers={"X-Player": "ADA", **JSON})
    assert (answer.status_code, answer.json["field"]) == (401, "X-Player")
    assert len(log.records) == 1


def test_a_page_plays_by_its_cookie(claimed: Client, log: MemoryLog) -> None:
    """A browser that claims a name on this service's page is known by the cookie from then on."""
    page = {"Origin": "http://localhost", "X-Player": "ada", **JSON}
    answer = claimed.post("/", headers=page)
    assert "Player-Token" not in answer.headers
    assert "HttpOnly; SameSite=Lax" in answer.headers["Set-Cookie"]
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert claimed.post("/", headers={**page, "Cookie": cookie}).status_code == 200
    evil = claimed.post("/", headers={"Origin": "http://evil.example", "Cookie": cookie, **JSON})
    assert (evil.status_code, evil.json["field"]) == (401, "Authorization")
    assert [event["player"] for event in log.events] == ["ada", "ada"]


def test_a_wrong_cookie_is_deleted(claimed: Client) -> None:
    """A 401 for a cookie deletes the cookie."""
    answer = claimed.post("/", headers={"Cookie": "player=gp1.x.y", **JSON})
    assert (answer.status_code, answer.json["field"]) == (401, "Cookie")
    assert answer.headers["Set-Cookie"].startswith("player=; Path=/; Max-Age=0; ")


def test_a_page_signs_out(claimed: Client, log: MemoryLog) -> None:
    """The cookie is deleted, and only for a page of this service; then the browser can claim another name."""
    page = {"Origin": "http://localhost", **JSON}
    cookie = claimed.post("/", headers={**page, "X-Player": "ada"}).headers["Set-Cookie"].partition(";")[0]
    for origin in ({}, {"Origin": "http://evil.example"}):
        answer = claimed.post("/play/sign-out", headers={**origin, **JSON, "Cookie": cookie})
        assert (answer.status_code, answer.json["field"], "Set-Cookie" in answer.headers) == (403, "Origin", False)
    answer = claimed.post("/play/sign-out", headers={**page, "Cookie": cookie})
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (
        200,
        ["player=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"],
    )
    assert claimed.get("/play/sign-out", headers=page).status_code == 405
    assert claimed.post("/", headers={**page, "X-Player": "bob"}).status_code == 200
    assert [event["player"] for event in log.events] == ["ada", "bob"]


def test_a_page_signs_out_over_https(claimed: Client) -> None:
    """The cookie of https has another name, which is the one that is deleted."""
    page = {"Origin": "https://localhost", **JSON}
    answer = claimed.post("/play/sign-out", headers=page, base_url="https://localhost")
    assert answer.headers["Set-Cookie"] == "__Host-player=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"


def test_the_page_knows_the_mode(claimed: Client, provided: Client) -> None:
    """The list of actions says how players are known."""
    modes = [client.get("/actions").json["players"] for client in (client_of(MemoryLog()), claimed, provided)]
    assert modes == ["open", "claimed", "token"]


def test_players_write_bulk_requests_for_themselves(provided: Client, log: MemoryLog) -> None:
    """A player's items are the player's, with chance drawn by the service."""
    answer = bulk(
        provided, KEY.token(), {"event_type": "purchase_sword"}, {"event_type": "join_guild", "player": "Ada"}
    )
    assert answer.status_code == 200
    sword, guild = log.events
    assert (sword["player"], guild["player"], guild["player_name"]) == ("ada", "ada", "Ada")
    assert 0 <= sword["strength"] <= 10


@pytest.mark.parametrize("item", [{"player": "bob"}, {"strength": 10}])
def test_a_key_without_the_scope_is_its_own_player(
    provided: Client, log: MemoryLog, kiosk: str, item: dict[str, Any]
) -> None:
    """Without `players:any` a key writes as the player of its name, and names nobody else; nothing else is written."""
    sword = {"event_type": "purchase_sword"}
    assert bulk(provided, kiosk, sword).status_code == 200
    answer = bulk(provided, kiosk, sword, {**sword, **item})
    assert (answer.status_code, answer.json["field"]) == (403, next(iter(item)))
    assert [event["player"] for event in log.events] == ["kiosk"]


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([{"event_type": "default", "player": "bob"}], "player"),
        ([{"event_type": "purchase_sword", "strength": 10}], "strength"),
        ([{"event_type": "default"}, {"event_type": "purchase_axe", "player": "ada", "strength": 1}], "strength"),
    ],
)
def test_complete_items_are_admitted_one_by_one(
    provided: Client, log: MemoryLog, items: list[dict[str, Any]], field: str
) -> None:
    """Items that need no second look for others get one for a caller who may only write their own events."""
    answer = bulk(provided, KEY.token(), *items)
    assert (answer.status_code, answer.json["field"]) == (403, field)
    assert log.records == []
    assert bulk(provided, KEY.token(), {"event_type": "default", "player": "ada"}).status_code == 200
    assert [event["player"] for event in log.events] == ["ada"]


def test_a_key_with_the_scope_writes_for_any_player(provided: Client, log: MemoryLog, loader: str) -> None:
    """With `players:any` items have any player and chance; one without a player is the request's."""
    sword = {"event_type": "purchase_sword", "strength": 10}
    assert bulk(provided, loader, sword | {"player": "bob"}, sword).status_code == 200
    assert [(event["player"], event["strength"]) for event in log.events] == [("bob", 10), (HOST, 10)]
    assert bulk(provided, loader, {"event_type": "purchase_sword"}).json["results"][0]["field"] == "strength"


def test_a_key_does_not_play(provided: Client, log: MemoryLog, loader: str) -> None:
    """An ingestion key is for bulk requests only."""
    answer = provided.post("/", headers=bearer(loader))
    assert (answer.status_code, answer.json["field"]) == (403, "Authorization")
    assert log.records == []


def test_only_the_first_actions_accept_get_and_only_when_open(claimed: Client, provided: Client) -> None:
    """A GET has an effect for the event types of the first version in mode open, and for no others."""
    open_to_all = client_of(MemoryLog())
    for event_type in EVENT_TYPES.values():
        usual = open_to_all.get(event_type.request)
        assert (usual.status_code != 405) is (event_type in FIRST), event_type.name
        for client in (claimed, provided):
            answer = client.get(event_type.request, headers=bearer(KEY.token()))
            assert answer.status_code == 405, event_type.name
            assert "GET" not in answer.headers["Allow"]


def test_pages_and_reads_need_no_token(provided: Client) -> None:
    """Everybody may look."""
    for path in ("/play", "/actions", "/healthz", "/openapi.json"):
        assert provided.get(path).status_code == 200


def test_the_description_says_what_is_needed(claimed: Client, provided: Client) -> None:
    """openapi.json has the ways to authenticate, and for each action whether it needs one and how it is requested."""
    expected = {
        client_of(MemoryLog()): None,
        claimed: [{}, {"token": []}, {"cookie": []}],
        provided: [{"token": []}, {"cookie": []}],
    }
    for client, security in expected.items():
        document = client.get("/openapi.json").json
        assert set(document["components"]["securitySchemes"]) == {"token", "cookie"}
        for path in ("/", "/explore", "/events"):
            assert document["paths"][path]["post"].get("security") == security
        assert ("get" in document["paths"]["/"]) is (security is None)
        assert "security" not in document["paths"]["/world"]["get"]
