"""A fair game: what the rules themselves promise, for every action and every way it can end."""

from collections.abc import Iterator

import pytest
from game_events import EVENT_TYPES, EventType
from game_events.chance import Normal, Uniform
from game_events.effects import filled
from game_events.rules import (
    MOST_EXPERIENCE_PER_STAMINA,
    MOST_GOLD_PER_STAMINA,
    PRICES,
    Change,
    Given,
    Kind,
    Price,
    Result,
    Share,
    Taken,
)

TYPES = EVENT_TYPES.values()
ITEMS = [*PRICES, "sword", "axe", "shield"]


def most(change: Change, amount: int, item: str) -> int:
    """The greatest amount of a change. A share that is taken and what is gained by it are as good as nothing."""
    match change.amount:
        case int(fixed):
            return fixed
        case Normal() | Uniform() as drawn:
            return drawn.high
        case Given(_, sign):
            return sign * amount
        case Price():
            return PRICES.get(item, 0)
        case Share() | Taken():
            return 0


def riches(event_type: EventType, result: Result) -> Iterator[int]:
    """By how much gold the world may become richer, with every parameter; items count as the trader pays for them."""
    limits = [needed.least_of({}) for needed in event_type.preconditions if needed.kind is Kind.AT_MOST]
    for amount in (1, *(limits or [1_000_000])):
        for item in ITEMS:
            gold = sum(most(change, amount, item) for change in result.changes if change.attribute == "gold")
            items = sum(PRICES.get(filled(name, {"item": item}), 0) * n for name, n in result.items.items())
            found = max((PRICES.get(loot, 0) for loot in result.loot.weights), default=0) if result.loot else 0
            given = PRICES.get(filled(result.gift, {"item": item}), 0)
            yield gold + items + found + given


@pytest.mark.parametrize("event_type", TYPES, ids=lambda one: one.name)
def test_gold_takes_stamina(event_type: EventType) -> None:
    """No action makes the world richer by more than its stamina allows: without any, it makes nobody richer."""
    for result in event_type.results:
        assert max(riches(event_type, result)) <= MOST_GOLD_PER_STAMINA * event_type.stamina


@pytest.mark.parametrize("event_type", TYPES, ids=lambda one: one.name)
def test_experience_takes_stamina(event_type: EventType) -> None:
    """No action teaches more than its stamina allows, both sides together."""
    for result in event_type.results:
        learned = sum(most(change, 1, "") for change in result.changes if change.attribute == "experience")
        assert learned <= MOST_EXPERIENCE_PER_STAMINA * event_type.stamina


def test_power_is_paid_for() -> None:
    """Gear that is free gives no power: a board would count clicks."""
    powerful = {event_type.name for event_type in TYPES if event_type.gives_power}
    assert powerful == {f"purchase_{item}" for item in ("bow", "helmet", "potion", "horse", "castle")}


def test_the_house_wins_in_the_long_run() -> None:
    """Dice take more gold from the players than they give."""
    contest = EVENT_TYPES["throw_dice"].contest
    assert contest
    assert isinstance(contest.mine, Uniform)
    assert isinstance(contest.theirs, Uniform)
    mine, theirs = (range(throw.low, throw.high + 1) for throw in (contest.mine, contest.theirs))
    assert sum(one >= other for one in mine for other in theirs) < len(mine) * len(theirs) / 2
