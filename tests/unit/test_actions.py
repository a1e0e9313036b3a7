from random import Random
from statistics import mean

import pytest
from game_api.actions import ACTIONS, Action, strength
from game_events import EVENT_TYPES
from game_events.codec import validate_values


def test_every_event_type_has_one_action():
    """No event type is out of a player's reach, and none is reached by two paths."""
    assert sorted(action.event_type for action in ACTIONS) == sorted(EVENT_TYPES)
    assert len({action.path for action in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.event_type)
def test_what_an_action_makes_keeps_the_contract(action: Action):
    """The description and whatever chance draws are values that the contract allows."""
    drawn = {name: draw(Random(1)) for name, draw in action.draws.items()}
    validate_values(action.event_type, {"description": action.description, **drawn})


def test_strength_is_a_clipped_normal_distribution():
    """Strength is an integer from 0 to 10, of mean 5 and sigma 4, what falls outside lying at the ends."""
    random = Random(1)
    drawn = [strength(random) for _ in range(20_000)]
    shares = [drawn.count(value) / len(drawn) for value in range(11)]
    assert sum(shares) == pytest.approx(1)
    assert mean(drawn) == pytest.approx(5, abs=0.1)
    # From the normal distribution's table: below 0.5, from 4.5 to 5.5, above 9.5.
    assert shares[0] == pytest.approx(0.130, abs=0.01)
    assert shares[5] == pytest.approx(0.099, abs=0.01)
    assert shares[10] == pytest.approx(0.130, abs=0.01)
