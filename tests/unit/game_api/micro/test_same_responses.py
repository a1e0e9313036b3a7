"""The test double answers as the service with a real world does, byte for byte."""

import gzip
import re
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from game_api import create_app
from game_api.identity.identity import Identity
from game_api.identity.player_tokens import new_secret
from game_api.log.event_log import Receipt, Record
from game_api.micro.micro import Micro
from game_api.settings import Settings
from game_world.claims import Claims
from game_world.limits import Limit
from game_world.store import Store
from game_world.world import World
from werkzeug.test import Client, TestResponse

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog
from tests.unit.game_world.topic import Topic

_OWN = {"X-Request-Id", "RateLimit", "Player-Token"}
"""Headers that differ between two responses of one service."""
_MADE_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class ProjectedLog(MemoryLog):
    """A log whose records the store's projection has read at once."""

    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self._topic = topic

    def _append(self, record: Record) -> Receipt:
        receipt = super()._append(record)
        self._topic.values.append(record.value)
        self._topic.project()
        return receipt


class Asked(NamedTuple):
    method: str
    path: str
    json: Any = None
    player: str = "ada"
    key: str = ""
    data: bytes | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 never changed


def act(event_type: str, key: str, player: str = "ada", **parameters: Any) -> Asked:  # noqa: ANN401 JSON
    return Asked("POST", f"/v1/actions/{event_type}", parameters, player, key)


ASKED = [
    Asked("GET", "/purchase_a_sword"),
    Asked("GET", "/nothing"),
    Asked("GET", "/v1/nothing"),
    Asked("DELETE", "/purchase_a_sword"),
    Asked("OPTIONS", "/v1/events"),
    Asked("GET", "/openapi.json"),
    Asked("GET", "/v1/problems/dead"),
    Asked("GET", "/join_a_guild?guild=a&guild=b"),
    Asked("GET", "/purchase_a_sword", player="a,b"),
    Asked("GET", "/purchase_a_sword", headers={"Sec-Purpose": "prefetch"}),
    Asked("POST", "/explore?colour=red"),
    act("purchase_sword", ""),
    act("purchase_sword", "k1"),
    act("purchase_sword", "k1"),
    act("purchase_sword", "k2", colour="red"),
    act("explore", ""),
    act("explore", "e1"),
    act("explore", "e1"),
    act("duel", "d1", target="ada"),
    act("duel", "d2", target="nobody"),
    act("join_guild", "g1", guild="owls"),
    act("found_guild", "g2", guild="Owls"),
    act("found_guild", "g3", guild="owls"),
    act("found_guild", "g3", guild="bears"),
    act("donate_gold", "g4", amount=100_000),
    act("join_guild", "g5", "bob", guild="OWLS"),
    act("sell_item", "s1", item="castle"),
    act("sell_item", "s2", item="junk"),
    act("purchase_castle", "p1"),
    act("accept_alliance", "a1", target="bob"),
    Asked("POST", "/duel?target=bob"),
    Asked("POST", "/v1/actions/duel", data=b"{", headers={"Content-Type": "application/json"}),
    Asked("POST", "/v1/actions/duel", key="csv", data=b"a=b", headers={"Content-Type": "text/csv"}),
    Asked("POST", "/v1/events", [{"event_type": "default"}, {"event_type": "no"}, 7]),
    Asked("POST", "/events", [{"event_type": "purchase_sword", "strength": 99}]),
    Asked("POST", "/events", [{"event_type": "purchase_sword", "strength": 9, "event_id": "mine"}]),
    Asked("POST", "/events", []),
    Asked("POST", "/events", {"event_type": "default"}),
    Asked("POST", "/events", [{"event_type": "default"}], key="k"),
    Asked("POST", "/events", data=b"x" * 2_000_000, headers={"Content-Type": "application/json"}),
    Asked(
        "POST",
        "/events",
        data=gzip.compress(b"[]")[:-3],
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ),
    Asked("GET", "/v1/me"),
    Asked("GET", "/heroes/bob"),
    *[act("mine_ore", f"m{number}", "cy") for number in range(9)],
    *[Asked("POST", "/purchase_an_axe", player="dee") for _ in range(3)],
    *[Asked("POST", path, [{"event_type": "default"}] * 70, "eve") for path in ("/events", "/events", "/v1/events")],
]


def ask(client: Client, asked: Asked, tokens: dict[str, str]) -> TestResponse:
    headers = {"X-Player": asked.player, **asked.headers}
    if asked.key:
        headers["Idempotency-Key"] = asked.key
    if asked.player in tokens:
        headers["Authorization"] = f"Bearer {tokens[asked.player]}"
    body = {"data": asked.data} if asked.data is not None else {"json": asked.json} if asked.json is not None else {}
    response = client.open(asked.path, method=asked.method, headers=headers, **body)
    # One player does not send the token.
    if asked.player != "dee" and (token := response.headers.get("Player-Token")):
        tokens[asked.player] = token
    return response


def shown(response: TestResponse) -> tuple[int, dict[str, str], bytes]:
    """A response without what is its own."""
    headers = {name: "" if name in _OWN else value for name, value in response.headers.items()}
    headers.pop("Content-Length", None)
    body = re.sub(rb'"received_at":\d+', b"", _MADE_ID.sub(b"ID", response.data))
    return response.status_code, headers, body


@pytest.mark.parametrize("mode", ["open", "claimed"])
def test_the_same_requests_have_the_same_responses(store: Store, tmp_path: Path, mode: str) -> None:
    """Successes, refusals of every kind, retries and limits are equal in status, headers and body."""
    environment = {"API_PLAYER_RATE": "1", "API_PLAYER_BURST": "60", "API_PLAYERS": mode}
    if mode == "claimed":
        secret = tmp_path / "secret"
        secret.write_text(new_secret())
        environment["API_TOKEN_SECRETS"] = str(secret)
    settings = Settings.from_environment(environment)
    log = ProjectedLog(Topic(store))
    limits = [Limit(settings.player_rate, settings.player_burst), Limit(settings.address_rate, settings.address_burst)]
    world = World(store, *limits)
    identity = Identity(settings.identity, Claims(world, settings.identity.claims_per_hour))
    identity.start()
    real = client_for(create_app(log, world, Random(7), identity=identity))
    micro = client_for(Micro(settings, random=Random(7)))
    tokens: tuple[dict[str, str], dict[str, str]] = ({}, {})
    statuses = set()
    for asked in ASKED:
        expected = shown(ask(real, asked, tokens[0]))
        assert shown(ask(micro, asked, tokens[1])) == expected, asked
        statuses.add(expected[0])
    assert statuses >= {200, 207, 400, 403, 404, 405, 409, 413, 415, 429} | ({401} if mode == "claimed" else set())
