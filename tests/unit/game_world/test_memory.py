"""The world in memory decides as the store does."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from game_events import EVENT_TYPES, FREE, Field, Kind, encode
from game_events.event_ids import uuid7s
from game_events.rules import PRICES
from game_world.memory.world import MemoryWorld
from game_world.world import LimitedError, RefusedError, World, WorldUnavailableError

from tests.unit.game_api.client import run
from tests.unit.game_world.topic import NO_LIMIT, Event, Topic

PLAYERS = ("ada", "bob", "cy", "dee")
GUILDS = ("owls", "bears")
REQUESTS = 600


def _parameter(field: Field, draw: Random) -> str | int:
    if field.name == "target":
        return draw.choice([*PLAYERS, "nobody"])
    if field.name == "item":
        return draw.choice([*PRICES, "sword"])
    return draw.choice([1, 5, 20, 200, 5000]) if field.kind is Kind.INTEGER else draw.choice(GUILDS)


def _outcome(world: World, event: Event, seed: int, is_v1: bool) -> tuple[dict[str, Any], Event | None]:
    """The fields that a world decides, or why it refuses; and its reply."""
    try:
        decision = run(world.decide(event, "192.0.2.1", Random(seed), is_v1=is_v1))
    except (RefusedError, LimitedError, WorldUnavailableError) as error:
        return {"error": str(error), **vars(error)}, None
    # The time is that of each world's clock.
    event |= decision.fields
    return {"again": decision.again, **decision.fields, "received_at": 0}, decision.reply


@pytest.mark.parametrize(("seed", "stamina"), [(1, 0), (2, 0), (3, 3600)])
def test_the_same_requests_have_the_same_outcome(topic: Topic, seed: int, stamina: int) -> None:
    """Decisions, refusals, retries, lost outcomes and reverts are equal, and so are the heroes after them."""
    topic.store.set_stamina(stamina)
    real, memory = World(topic.store, NO_LIMIT, NO_LIMIT), MemoryWorld(NO_LIMIT, NO_LIMIT, stamina)
    draw = Random(seed)
    seen: Counter[str] = Counter()
    keys: list[tuple[str, str, str]] = []
    for number in range(REQUESTS):
        event_type, player, key = draw.choice(list(EVENT_TYPES)), draw.choice(PLAYERS), f"key-{number}"
        if keys and draw.random() < 0.1:
            event_type, player, key = draw.choice(keys)
        keys.append((event_type, player, key))
        given = {one.name: _parameter(one, draw) for one in EVENT_TYPES[event_type].parameters}
        marked = {"idempotent": True} if draw.random() < 0.9 or event_type not in FREE else {}
        event = (
            topic.event(event_type, player, **given) | {"event_id": key if marked else uuid7s(number, 1)[0]} | marked
        )
        twin, is_v1 = dict(event), draw.random() < 0.5
        outcome, reply = _outcome(real, event, number, is_v1)
        same, own_reply = _outcome(memory, twin, number, is_v1)
        assert same == outcome, event
        seen[outcome.get("reason", "decided")] += 1
        if "error" in outcome:
            continue
        if draw.random() < 0.1:
            run(real.note_unconfirmed([event], reply))
            run(memory.note_unconfirmed([twin], own_reply))
            keys.append((event_type, player, event["event_id"]))
        if draw.random() < 0.1:
            assert run(memory.revert(twin)) == run(real.revert(event))
        elif draw.random() < 0.9:
            topic.write(event)
            topic.project()
            memory.project(number, encode(twin), twin)
        assert run(memory.may_be_written([twin])) == run(real.may_be_written([event]))
        for one in PLAYERS:
            shown = {name: value for name, value in real.views.hero(one).items() if name != "ties"}
            assert shown.items() <= memory.views.hero(one).items(), event
    assert [memory.views.hero(one) for one in PLAYERS] == [real.views.hero(one) for one in PLAYERS]
    assert memory.views.overview()["leaders"]["gold"][0]["gold"] == real.views.overview()["leaders"]["gold"][0]["gold"]
    assert len(seen) > 10
