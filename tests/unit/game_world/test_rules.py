"""The rules of every action, as the store's scripts apply them."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from game_events import EVENT_TYPES, EventType
from game_events.effects import effects, facts, filled
from game_events.rules import MOST_HEALTH, STAMINA, START, Kind, Precondition, Who, level
from game_world.commands import command
from game_world.store import Store
from game_world.world import RefusedError, WorldUnavailableError

from tests.unit.game_world.topic import Event, Topic
from tests.world_state import stored

PARAMETERS = {"target": "bob", "guild": "owls", "amount": 7, "item": "bow"}
FORBIDDEN = {Kind.AT_MOST: {"amount": 41}, Kind.BOUGHT: {"item": "sword"}}
"""Parameters that do not meet these preconditions."""
PRECONDITIONS = [
    (event_type, precondition) for event_type in EVENT_TYPES.values() for precondition in event_type.preconditions
]


def request(topic: Topic, event_type: EventType, unmet: Precondition | None = None) -> Event:
    """An event of this type by ada, about bob."""
    parameters = PARAMETERS | (FORBIDDEN.get(unmet.kind, {}) if unmet else {})
    given = {field.name: parameters[field.name] for field in event_type.parameters if field.name in parameters}
    return topic.event(event_type.name, "ada", **given)


def prepare(topic: Topic, event: Event, preconditions: tuple[Precondition, ...], unmet: Precondition | None) -> None:
    """Meet all preconditions but one."""
    knows_bob = unmet is None or unmet.kind is not Kind.KNOWN
    if knows_bob:
        topic.give("bob")
    for precondition in preconditions:
        is_met = precondition is not unmet
        if precondition.attribute == STAMINA:
            topic.tire("ada", precondition.least_of(event) - (not is_met))
        elif precondition.who is Who.GUILD:
            topic.donate("owls", precondition.least_of(event) - (not is_met))
        elif precondition.kind is Kind.AT_LEAST and (knows_bob or precondition.who is not Who.TARGET):
            name, player = filled(precondition.attribute, event), "bob" if precondition.who is Who.TARGET else "ada"
            has, least = START.get(name, 0), precondition.least_of(event)
            amount = max(0, least - has) if is_met else least - 1 - has
            topic.give(player, **{name.replace("item:", "item_"): amount})
        elif precondition.kind is Kind.ALLIED and knows_bob:
            # One side is not enough.
            topic.give("ada", ally="bob")
            topic.give("bob", ally="ada" if is_met else "")
        elif precondition.kind is Kind.OFFERED and knows_bob:
            topic.give("bob", ally="ada" if is_met else "")
        elif precondition.kind is (Kind.IN_GUILD if is_met else Kind.NO_GUILD):
            topic.give("ada", guild="owls")
        elif precondition.kind is Kind.SAME_GUILD and knows_bob:
            topic.give("bob", guild="owls" if is_met else "bears")
        elif precondition.kind is Kind.NEW_GUILD and not is_met:
            topic.give("cid", guild="owls")


@pytest.mark.parametrize(
    ("event_type", "precondition"),
    PRECONDITIONS,
    ids=[
        f"{event_type.name}: {precondition.kind} {precondition.attribute}" for event_type, precondition in PRECONDITIONS
    ],
)
def test_an_unmet_precondition_is_refused(topic: Topic, event_type: EventType, precondition: Precondition) -> None:
    """If one precondition is not met, the action is refused for that one, and nothing changes."""
    event = request(topic, event_type, precondition)
    prepare(topic, event, event_type.preconditions, precondition)
    before = stored(topic.store)
    reply = topic.store.decide(command(event_type, event, Random(1)) | {"limits": []})
    assert reply["precondition"] == event_type.preconditions.index(precondition)
    if precondition.kind is Kind.AT_LEAST:
        assert reply["have"] == precondition.least_of(event) - 1
    assert stored(topic.store) == before
    assert not topic.pending()
    with pytest.raises(RefusedError):
        topic.decide(event)


@pytest.mark.parametrize("event_type", EVENT_TYPES.values(), ids=EVENT_TYPES)
@pytest.mark.parametrize("seed", range(3))
def test_the_world_changes_as_the_event_says(store: Store, event_type: EventType, seed: int) -> None:
    """If all preconditions are met, the store changes by the effects and facts of the event, and by nothing else."""
    topic = Topic(store, seed)
    event = request(topic, event_type)
    topic.give("ada")
    prepare(topic, event, event_type.preconditions, None)
    before = stored(store)
    topic.decide(event)
    changes: dict[str, Counter[str]] = {}
    for effect in effects(event):
        changes.setdefault(f"{effect.owner}:{effect.name}", Counter())[effect.attribute] += effect.amount
    expected: dict[str, dict[str, Any]] = {name: dict(attributes) for name, attributes in before.items()}
    for name, amounts in changes.items():
        has = expected.setdefault(name, {})
        expected[name] = has | {attribute: int(has.get(attribute, 0)) + n for attribute, n in amounts.items()}
    for fact in facts(event):
        field = f"{fact.name}:{fact.target}" if fact.target else fact.name
        expected.setdefault(f"hero:{fact.player}", {})[field] = fact.value
    shown = {
        name: {field: value for field, value in has.items() if value not in (0, "")} for name, has in expected.items()
    }
    assert stored(store) == {name: has for name, has in shown.items() if has}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("event_type", ["duel", "raid", "arm_wrestle", "throw_dice", "rest_at_inn", "drink_potion"])
def test_nothing_leaves_its_bounds(store: Store, event_type: str, seed: int) -> None:
    """Attributes do not fall below zero, and health does not rise above its maximum."""
    topic = Topic(store, seed)
    event = request(topic, EVENT_TYPES[event_type])
    topic.give("ada")
    prepare(topic, event, EVENT_TYPES[event_type].preconditions, None)
    topic.give("ada", health=-1)
    topic.give("bob", gold=-95, health=-95)
    topic.decide(event)
    for player in ("ada", "bob"):
        assert all(value >= 0 for value in topic.hero(player).values() if isinstance(value, int))
        assert topic.hero(player).get("health", 0) <= MOST_HEALTH


def test_a_debt_stays_owed(topic: Topic) -> None:
    """An attribute below zero, as after a revert, is not raised to zero by another loss."""
    topic.give("bob", gold=-150)
    topic.give("ada", experience=10**6)
    event = request(topic, EVENT_TYPES["duel"])
    topic.decide(event)
    assert event["won"]
    assert event["target_gold"] == 0
    assert topic.hero("bob")["gold"] == -50


@pytest.mark.parametrize("experience", [0, 99, 100, 399, 400, 899, 900, 999_999, 1_000_000, 123_456_789])
def test_levels_are_the_same_in_lua(topic: Topic, experience: int) -> None:
    """In a contest of players the store adds the level that game_events/rules.py defines."""
    topic.give("bob")
    topic.give("ada", experience=experience)
    duel = command(EVENT_TYPES["duel"], request(topic, EVENT_TYPES["duel"]), Random(1)) | {"limits": []}
    ahead = level(experience) - level(0)
    for theirs, won in ((ahead, True), (ahead + 1, False)):
        duel["contest"] |= {"mine": 0, "theirs": theirs}
        topic.give("ada", experience=experience - topic.hero("ada").get("experience", 0))
        assert topic.store.decide(duel)["won"] is won


def test_a_world_that_is_being_rebuilt_decides_nothing(topic: Topic) -> None:
    """Until the topic has been read, actions with preconditions are refused; the others wait for the projection."""
    topic.store.redis.flushall()
    with pytest.raises(WorldUnavailableError):
        topic.decide(topic.event("explore", "ada"))
    topic.decide(topic.event("default", "ada"))
    assert not topic.pending()


def test_a_full_world_takes_no_new_names(topic: Topic) -> None:
    """While memory is full, known players act, and new ones are refused."""
    topic.give("ada")
    topic.store.evict(0, 1, is_full=True)
    topic.decide(topic.event("explore", "ada"))
    with pytest.raises(WorldUnavailableError, match="no new players"):
        topic.decide(topic.event("explore", "bob"))
    topic.decide(topic.event("default", "bob"))
    assert not topic.hero("bob")
    topic.store.evict(0, 1, is_full=False)
    topic.decide(topic.event("explore", "bob"))
