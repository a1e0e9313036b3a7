"""Simulated players who prove who they are, against a service without servers behind it."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from game_api import create_app
from game_api.identity.identity import Identity
from game_api.identity.player_tokens import new_secret
from game_api.identity.settings import IdentitySettings
from game_api.log.event_log import Outcome
from game_api.service import Service
from testbed.settings import Settings
from testbed.simulator.ledger import attempts
from testbed.simulator.players import Players
from testbed.simulator.tally import Tally
from testbed.waiting import wait_until

from tests.unit.game_api.client import run
from tests.unit.game_api.identity.provider import AUDIENCE, ISSUER, Key, key_set, write
from tests.unit.game_api.identity.test_identity import MemoryClaims
from tests.unit.game_api.memory_log import MemoryLog
from tests.unit.game_api.test_front import served

NAMES = 5


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.isolated(tmp_path)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def claimed(tmp_path: Path, log: MemoryLog) -> Service:
    """A service in mode claimed."""
    secrets = write(tmp_path / "secrets", new_secret())
    return create_app(log, identity=Identity(IdentitySettings(mode="claimed", token_secrets=secrets), MemoryClaims()))


def played(service: Service, settings: Settings, **options: object) -> Tally:
    """Let a few players with many connections send their first moves at once; return the counts of their answers."""

    def play(port: int) -> Tally:
        here = replace(settings, ports=replace(settings.ports, api=port))
        # By this seed each player sends an event that needs no world among the first 24.
        usual = {"players": NAMES, "rate": 400, "seed": 35, "retries": 0, "connections": 16}
        with Players(here, **{**usual, **options}) as players:  # type: ignore[arg-type]
            wait_until("answers", lambda: players.tally.attempts.total() >= 80)
        return players.tally

    async def serve() -> Tally:
        async with served(service) as port:
            return await asyncio.to_thread(play, port)

    return run(serve())


def statuses(settings: Settings) -> set[Outcome | None]:
    """The outcomes of all events that need no world."""
    return {one.outcome for one in attempts(settings) if one.event_type in ("default", "purchase_sword")}


def test_names_are_claimed_once(claimed: Service, log: MemoryLog, settings: Settings) -> None:
    """Of many first moves of a player at once one claims the name; the others, and the next run, have its token."""
    played(claimed, settings)
    assert statuses(settings) == {Outcome.ACKED}
    first = len(log.records)
    played(claimed, settings)
    assert statuses(settings) == {Outcome.ACKED}
    assert len(log.records) > first
    assert len({event["player"] for event in log.events}) == NAMES


def test_tokens_are_kept_from_others(claimed: Service, settings: Settings) -> None:
    """Only the user can read the file with the tokens."""
    played(claimed, settings)
    [kept] = (settings.data / "players").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_open_names_need_no_tokens(log: MemoryLog, settings: Settings) -> None:
    """A service that believes every name hands out no token, and nothing is kept."""
    played(create_app(log), settings)
    assert statuses(settings) == {Outcome.ACKED}
    assert not (settings.data / "players").exists()


def test_a_provider_makes_the_tokens(log: MemoryLog, settings: Settings, tmp_path: Path) -> None:
    """In mode token each player's requests have the token that is made for the name; without one they are refused."""
    key = Key("one")
    jwks = write(tmp_path / "jwks.json", key_set(key))
    identity = Identity(IdentitySettings(mode="token", jwks=jwks, issuer=ISSUER, audience=AUDIENCE))
    service = create_app(log, identity=identity)
    tally = played(service, settings)
    assert set(tally.attempts) == {Outcome.REFUSED}
    assert log.records == []
    played(service, settings, issue=lambda name: key.token(sub=name))
    assert len({event["player"] for event in log.events}) == NAMES
