"""Stamina: what most actions take, and what comes back with time."""

import pytest
from game_events import EVENT_TYPES
from game_events.rules import MOST_STAMINA
from game_world.store import key
from game_world.views import ReadModel
from game_world.world import RefusedError
from testbed.waiting import wait_until

from tests.unit.game_world.topic import Topic

EXPLORE, STARS = (EVENT_TYPES[name].stamina for name in ("explore", "read_stars"))


def test_an_action_takes_stamina(topic: Topic) -> None:
    """A player has less afterwards, as their page shows; the refusal of a tired one says how much there is."""
    topic.do("explore", "ada")
    assert ReadModel(topic.store).hero("ada")["stamina"] == MOST_STAMINA - EXPLORE
    topic.tire("ada", EXPLORE - 1)
    with pytest.raises(RefusedError, match=f"this takes {EXPLORE} stamina, and you have {EXPLORE - 1}") as refusal:
        topic.do("explore", "ada")
    assert refusal.value.field == "stamina"
    assert ReadModel(topic.store).hero("bob")["stamina"] == MOST_STAMINA


def test_time_brings_it_back(topic: Topic) -> None:
    """It comes back by the store's time, at the speed that the projection sets."""
    topic.store.set_stamina(1)

    def tire() -> None:
        for _ in range(MOST_STAMINA):
            topic.do("read_stars", "ada")

    with pytest.raises(RefusedError):
        tire()
    wait_until("stamina", lambda: topic.store.stamina("ada") >= STARS)
    topic.do("read_stars", "ada")


def test_it_can_be_switched_off(topic: Topic) -> None:
    """With 0 seconds no action takes any."""
    topic.store.set_stamina(0)
    for _ in range(MOST_STAMINA):
        topic.do("read_stars", "ada")
    assert topic.store.stamina("ada") == MOST_STAMINA


def test_what_is_unconditional_takes_none(topic: Topic) -> None:
    """A tired player, even a dead one, does whatever has no precondition."""
    topic.tire("ada", 0)
    topic.give("ada", health=-100)
    for event_type in EVENT_TYPES.values():
        if event_type.is_free:
            topic.do(event_type.name, "ada")


def test_what_is_reverted_gives_it_back(topic: Topic) -> None:
    """An event that never reached the topic took no stamina, and a retry takes it once."""
    event = topic.event("explore", "ada", "key")
    topic.decide(event)
    topic.decide(topic.event("explore", "ada", "key"))
    assert topic.store.stamina("ada") == MOST_STAMINA - EXPLORE
    topic.store.revert(topic.pending(), shared=True)
    assert topic.store.stamina("ada") == MOST_STAMINA
    assert not topic.store.redis.exists(key("stamina:ada"))


def test_a_refused_action_takes_none(topic: Topic) -> None:
    """Only what happens makes a player tired."""
    with pytest.raises(RefusedError):
        topic.do("slay_dragon", "ada")
    assert topic.store.stamina("ada") == MOST_STAMINA
