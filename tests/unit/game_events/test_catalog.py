"""The catalog: rules that every event type keeps."""

import json
from random import Random

import pytest
from game_events import EVENT_TYPES, FIRST, EventType
from game_events.codec import FIELDS_OF_TYPE, validate_values
from game_events.effects import Effect, effects, filled
from game_events.rules import Given

from tests.poison import EXAMPLES

TYPES = EVENT_TYPES.values()


def test_there_are_many_actions() -> None:
    """There are at least thirty actions in at least eight families, each with its own path."""
    assert len(EVENT_TYPES) >= 30
    assert len({event_type.family for event_type in TYPES}) >= 8
    assert len({event_type.request for event_type in TYPES}) == len(EVENT_TYPES)


def test_the_first_seven_are_unconditional() -> None:
    """The first version's actions need nothing from the world and no parameter."""
    assert len(FIRST) == 7
    assert all(event_type.is_free for event_type in FIRST)
    assert not any(parameter.required for event_type in FIRST for parameter in event_type.parameters)


def test_reports_change_nothing() -> None:
    """What an app reports about a player is unconditional, and has no effect in the world."""
    reports = [event_type for event_type in TYPES if event_type.is_report]
    assert {event_type.name for event_type in reports} == {"see_experiment"}
    for event_type in reports:
        assert event_type.is_free
        assert [*effects(json.loads((EXAMPLES / f"{event_type.name}.json").read_text()))] == []


@pytest.mark.parametrize("event_type", TYPES, ids=lambda one: one.name)
def test_random_values_keep_the_contract(event_type: EventType) -> None:
    """The contract allows every random value, and the description."""
    for seed in range(50):
        drawn = {name: draw.draw(Random(seed)) for name, draw in event_type.draws.items()}
        validate_values(event_type.name, {"description": event_type.description, **drawn})


@pytest.mark.parametrize("event_type", TYPES, ids=lambda one: one.name)
def test_its_texts_can_be_filled_in(event_type: EventType) -> None:
    """Answers and refusals refer only to fields of the event, and amounts only to parameters."""
    known = dict.fromkeys(FIELDS_OF_TYPE[event_type.name], "x")
    for result in event_type.results:
        filled(result.answer, known)
        amounts = {change.amount.parameter for change in result.changes if isinstance(change.amount, Given)}
        assert amounts <= {parameter.name for parameter in event_type.parameters}
    for precondition in event_type.preconditions:
        filled(precondition.problem, known | {"have": 1, "least": 2})


def test_an_event_records_its_effects() -> None:
    """A won duel moves the loser's gold to the winner, wounds the loser and teaches the winner."""
    event = json.loads((EXAMPLES / "duel.json").read_text())
    assert set(effects(event)) == {
        Effect("hero", "knight1.comcast.com", "experience", 15),
        Effect("hero", "knight1.comcast.com", "gold", 10),
        Effect("hero", "knight2.yahoo.com", "gold", -10),
        Effect("hero", "knight2.yahoo.com", "health", -29),
    }
