"""The simulated players' first moves, by the rules of version 1: guilds are founded before they are joined."""

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from game_api import create_app
from game_api.log.event_log import Outcome
from game_api.service import Service
from game_world.store import Store
from game_world.world import World
from testbed.settings import Settings
from testbed.simulator.characters import GUILDS
from testbed.simulator.client import request_for
from testbed.simulator.ledger import Attempt, attempts, run_of
from testbed.simulator.moves import Move, moves
from testbed.simulator.players import Players
from testbed.simulator.tally import Tally
from testbed.waiting import wait_until
from werkzeug.test import Client

from tests.unit.game_api.client import client_for, run
from tests.unit.game_api.memory_log import MemoryLog
from tests.unit.game_api.test_front import served
from tests.unit.game_world.conftest import server, store
from tests.unit.game_world.topic import NO_LIMIT, Topic

__all__ = ["server", "store"]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def service(store: Store, log: MemoryLog) -> Service:
    """An API with a world that has no players yet."""
    Topic(store)
    return create_app(log, World(store, NO_LIMIT, NO_LIMIT), random=Random(7))


def openings(players: int, seed: int, run_name: str) -> list[Move]:
    """The moves up to each player's joining a guild."""
    drawn = moves(seed, players, run_name)
    joined: set[str] = set()
    made: list[Move] = []
    while len(joined) < players:
        made.append(next(drawn))
        if made[-1].event_type == "join_guild":
            joined.add(made[-1].player)
    return made


def answers(client: Client, sent: list[Move]) -> Counter[tuple[str, int]]:
    """Send the moves one after the other; return the number of responses by event type and status."""
    counts: Counter[tuple[str, int]] = Counter()
    for move in sent:
        path, headers, body = request_for(move)
        counts[move.event_type, client.post(path, data=body, headers=headers).status_code] += 1
    return counts


@pytest.mark.parametrize("players", [1, 5, 24, 240])
def test_guilds_are_founded_before_they_are_joined(players: int) -> None:
    """Every guild of the cast is founded once before anybody joins it, and then each player joins one."""
    made = openings(players, 1, "a")
    founded = [move.parameters["guild"] for move in made if move.event_type == "found_guild"]
    joined = [move for move in made if move.event_type == "join_guild"]
    assert [move.event_type for move in made] == ["found_guild"] * len(founded) + ["join_guild"] * players
    assert len(set(founded)) == len(founded)
    assert {move.parameters["guild"] for move in joined if move.parameters} <= set(founded)
    assert len({move.player for move in joined}) == players


def test_nobody_is_refused_at_first(service: Service) -> None:
    """In an empty world all openings are allowed; in a second run the guilds exist, and the founders join them, too."""
    client = client_for(service)
    first, second = openings(24, 1, "a"), openings(24, 2, "b")
    assert answers(client, first) == {("found_guild", 200): 4, ("join_guild", 200): 24}
    assert answers(client, second) == {("found_guild", 409): 4, ("join_guild", 200): 24}


def test_a_guild_that_is_gone_is_founded_again() -> None:
    """Who founds a guild founds their own or, now and then, that of all: it may not exist any more."""
    later = list(islice(moves(1, 24, "a"), 28, 20_000))
    founded = Counter(move.parameters["guild"] in GUILDS for move in later if move.event_type == "found_guild")
    assert founded[True] > 0 < founded[False]


def played(service: Service, settings: Settings, seed: int) -> tuple[Tally, list[Attempt]]:
    """Let players with many connections play; return the counts of their answers, and their ledger."""

    def play(port: int) -> tuple[Tally, list[Attempt]]:
        here = replace(settings, ports=replace(settings.ports, api=port))
        with Players(here, players=24, rate=200, seed=seed, retries=0, connections=16) as players:
            wait_until("answers", lambda: players.tally.attempts.total() >= 100)
        return players.tally, [one for one in attempts(settings) if run_of(one.key) == players.ledger.stem]

    async def serve() -> tuple[Tally, list[Attempt]]:
        async with served(service) as port:
            return await asyncio.to_thread(play, port)

    return run(serve())


def test_refused_foundings_are_counted_as_forbidden(service: Service, log: MemoryLog, tmp_path: Path) -> None:
    """The next run's foundings are against the rules, like any 409: neither acknowledged, nor refused, nor retried."""
    settings = Settings.isolated(tmp_path)
    played(service, settings, 1)
    before = len(log.records)
    tally, sent = played(service, settings, 2)
    founders = [one for one in sent if int(one.key.rpartition("-")[2]) <= len(GUILDS)]
    assert [(one.forbidden, one.outcome, one.attempt) for one in founders] == [(True, Outcome.REFUSED, 1)] * len(GUILDS)
    assert set(tally.attempts) == {Outcome.ACKED}
    assert tally.forbidden == sum(one.forbidden for one in sent)
    assert (
        tally.attempts[Outcome.ACKED] == sum(one.outcome is Outcome.ACKED for one in sent) == len(log.records) - before
    )
    assert tally.events.total() + tally.forbidden == len({one.key for one in sent})
