"""Alliances need both sides, and battles are decided by gear as well."""

from random import Random

import pytest
from game_events import EVENT_TYPES
from game_events.rules import ARMS, GUARDS, might
from game_world.commands import command
from game_world.views import ReadModel
from game_world.world import RefusedError

from tests.unit.game_world.topic import Topic
from tests.world_state import stored, summed


def ties(topic: Topic) -> list[str | None]:
    """The ties between ada and bob, as their pages show them."""
    read = ReadModel(topic.store)
    return [read.hero(one)["ties"].get(other) for one, other in (("ada", "bob"), ("bob", "ada"))]


def test_an_alliance_needs_both_sides(topic: Topic) -> None:
    """An offer is no alliance until it is accepted: before that nobody can be betrayed."""
    topic.do("default", "bob")
    topic.do("propose_alliance", "ada", target="bob")
    assert ties(topic) == ["offer", None]
    with pytest.raises(RefusedError, match="bob is no ally of yours"):
        topic.do("betray_ally", "ada", target="bob")
    with pytest.raises(RefusedError, match="There is no offer of bob"):
        topic.do("accept_alliance", "ada", target="bob")
    topic.do("accept_alliance", "bob", target="ada")
    assert ties(topic) == ["alliance", "alliance"]


def test_a_betrayed_player_has_to_agree_again(topic: Topic) -> None:
    """A betrayal ends the alliance for both sides; a new offer alone does not renew it."""
    topic.do("default", "bob")
    topic.do("propose_alliance", "ada", target="bob")
    topic.do("accept_alliance", "bob", target="ada")
    robbed = topic.do("betray_ally", "ada", target="bob")
    assert robbed["gold"] > 0
    assert ties(topic) == ["war", None]
    topic.do("propose_alliance", "ada", target="bob")
    with pytest.raises(RefusedError, match="no ally"):
        topic.do("betray_ally", "ada", target="bob")
    topic.project()
    live = stored(topic.store)
    topic.rebuild()
    assert stored(topic.store) == live == summed(topic.events())


def test_a_reverted_betrayal_leaves_the_alliance(topic: Topic) -> None:
    """If the event never reached the topic, both are allied as before."""
    topic.do("default", "bob")
    topic.do("propose_alliance", "ada", target="bob")
    topic.do("accept_alliance", "bob", target="ada")
    topic.project()
    betrayal = topic.event("betray_ally", "ada", target="bob")
    topic.decide(betrayal)
    assert topic.world.revert(betrayal)
    assert ties(topic) == ["alliance", "alliance"]


@pytest.mark.parametrize("item", ARMS)
def test_arms_help_the_attacker(topic: Topic, item: str) -> None:
    """In a battle an item adds what the rules say, once, however many there are."""
    assert beats(topic, behind=ARMS[item]) is False
    topic.give("ada", **{f"item_{item}": 5})
    assert beats(topic, behind=ARMS[item]) is True
    assert beats(topic, behind=ARMS[item] + 1) is False


@pytest.mark.parametrize("item", GUARDS)
def test_guards_help_the_target(topic: Topic, item: str) -> None:
    """The target's gear counts for the target."""
    assert beats(topic, behind=0) is True
    topic.give("bob", **{f"item_{item}": 5})
    assert beats(topic, behind=0) is False
    assert beats(topic, behind=-GUARDS[item]) is True


@pytest.mark.parametrize("power", [99, 100, 399, 400, 12_345])
def test_power_is_might(topic: Topic, power: int) -> None:
    """The store adds the might that game_events/rules.py defines."""
    topic.give("ada", power=power)
    assert beats(topic, behind=might(power)) is True
    assert beats(topic, behind=might(power) + 1) is False


def beats(topic: Topic, behind: int) -> bool:
    """Whether ada beats bob in a duel if the throw is so far behind; the duel itself is reverted."""
    topic.give("bob")
    event = topic.event("duel", "ada", target="bob")
    topic.store.set_stamina(0)
    asked = command(EVENT_TYPES["duel"], event, Random(1)) | {"limits": []}
    asked["contest"] |= {"mine": 0, "theirs": behind}
    won = topic.store.decide(asked)["won"]
    topic.world.revert(event)
    return bool(won)


@pytest.mark.parametrize("request_", ["raid", "lay_siege"])
@pytest.mark.parametrize("is_strong", [True, False])
def test_a_horse_is_used_up(topic: Topic, request_: str, is_strong: bool) -> None:
    """Won or lost, the horse does not come back."""
    topic.give("bob", item_castle=1, experience=0 if is_strong else 10**6)
    topic.give("ada", item_horse=2, experience=10**6 if is_strong else 0)
    assert topic.do(request_, "ada", target="bob")["won"] is is_strong
    assert topic.hero("ada")["item:horse"] == 1
