"""Players from whom nothing more is accepted."""

import json
from pathlib import Path
from random import Random

import pytest
from game_api import create_app
from game_api.identity.identity import Identity
from game_api.identity.player_tokens import new_secret
from game_api.identity.settings import IdentitySettings
from game_events import decode
from game_settings.reader import SettingsError
from testbed.waiting import wait_until
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.identity.provider import write
from tests.unit.game_api.identity.test_identity import MemoryClaims
from tests.unit.game_api.memory_log import MemoryLog


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return Path(write(tmp_path / "names", "# asked on 3 March\nAda\n"))


@pytest.fixture
def client(log: MemoryLog, names: Path) -> Client:
    return _client(log, IdentitySettings(suppressed=str(names)))


def _client(log: MemoryLog, settings: IdentitySettings) -> Client:
    return client_for(create_app(log, random=Random(7), identity=Identity(settings, MemoryClaims())))


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/purchase_a_sword"), ("GET", "/"), ("POST", "/v1/actions/default")]
)
@pytest.mark.parametrize("spelling", ["ada", "ADA", "Ada"])
def test_an_action_is_refused(client: Client, log: MemoryLog, method: str, path: str, spelling: str) -> None:
    """An action of a suppressed player, in any spelling, is forbidden and writes nothing; others play on."""
    refused = client.open(path, method=method, headers={"X-Player": spelling, "Accept": "application/json"})
    assert (refused.status_code, refused.json["field"]) == (403, "player")
    assert not log.records
    assert client.open(path, method=method, headers={"X-Player": "bob"}).status_code == 200


@pytest.mark.parametrize("path", ["/events", "/v1/events"])
@pytest.mark.parametrize("more", [{}, {"description": "ö\\u00f6"}, {"properties": {"a": 1}}])
def test_items_are_refused_one_by_one(client: Client, log: MemoryLog, path: str, more: dict[str, object]) -> None:
    """Of a bulk request, items of a suppressed player are refused, however they are read; others are written."""
    sword = {"event_type": "purchase_sword", "strength": 7} | more
    items = [sword | {"player": "bob"}, sword | {"player": "ADA"}, sword]
    headers = {"Content-Type": "application/json", "X-Player": "Ada"}
    answer = client.post(path, data=json.dumps(items), headers=headers)
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json["results"]] == [200, 400, 400]
    assert {result["field"] for result in answer.json["results"][1:]} == {"player"}
    assert [decode(record.value)["player"] for record in log.records] == ["bob"]


def test_a_suppressed_name_is_not_claimed(log: MemoryLog, names: Path, tmp_path: Path) -> None:
    """Where the first use of a name claims it, that of a suppressed player is refused, and hands out no token."""
    secrets = write(tmp_path / "secrets", new_secret())
    client = _client(log, IdentitySettings(mode="claimed", token_secrets=secrets, suppressed=str(names)))
    refused = client.post("/purchase_a_sword", headers={"X-Player": "Ada"})
    assert refused.status_code == 403
    assert "Player-Token" not in refused.headers
    assert "Player-Token" in client.post("/purchase_a_sword", headers={"X-Player": "bob"}).headers


def test_names_are_added_without_a_restart(client: Client, names: Path) -> None:
    """A name that is added is refused within seconds, and one that is removed is accepted again."""

    def status(name: str) -> int:
        return client.post("/purchase_a_sword", headers={"X-Player": name}).status_code

    assert (status("ada"), status("bob")) == (403, 200)
    names.write_text("bob\n")
    wait_until("the new list", lambda: (status("ada"), status("bob")) == (200, 403))


@pytest.mark.parametrize("content", [b"ada\n" + b"x" * 256, b"\xff"])
def test_an_invalid_list_is_refused(tmp_path: Path, content: bytes) -> None:
    """The service does not start with a list that it cannot read; the error names the setting."""
    path = tmp_path / "names"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="API_SUPPRESSED"):
        Identity(IdentitySettings(suppressed=str(path)))
