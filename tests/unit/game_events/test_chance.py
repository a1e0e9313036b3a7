"""The distributions draw what their descriptions say."""

from random import Random
from statistics import mean

import pytest
from game_events import EVENT_TYPES
from game_events.chance import Normal, Pick, Uniform

DRAWS = 20_000


def test_strength_is_a_clipped_normal_distribution() -> None:
    """Strength is normally distributed with mean 5 and sigma 4, rounded and clipped to 0 to 10."""
    random, strength = Random(1), EVENT_TYPES["purchase_sword"].draws["strength"]
    drawn = [strength.draw(random) for _ in range(DRAWS)]
    shares = [drawn.count(value) / len(drawn) for value in range(11)]
    assert sum(shares) == pytest.approx(1)
    assert mean(drawn) == pytest.approx(5, abs=0.1)
    # From the normal distribution's table: below 0.5, from 4.5 to 5.5, above 9.5.
    assert shares[0] == pytest.approx(0.130, abs=0.01)
    assert shares[5] == pytest.approx(0.099, abs=0.01)
    assert shares[10] == pytest.approx(0.130, abs=0.01)


def test_a_uniform_distribution_draws_every_number_equally_often() -> None:
    """A uniform distribution includes both its ends, and draws every number equally often."""
    random = Random(1)
    drawn = [Uniform(1, 20).draw(random) for _ in range(DRAWS)]
    assert set(drawn) == set(range(1, 21))
    assert all(drawn.count(value) / DRAWS == pytest.approx(0.05, abs=0.01) for value in range(1, 21))


def test_a_word_is_picked_by_its_weight() -> None:
    """Each word is picked in proportion to its weight, which the description gives in percent."""
    random, pick = Random(1), Pick({"herb": 3, "ruby": 1})
    drawn = [pick.draw(random) for _ in range(DRAWS)]
    assert drawn.count("herb") / DRAWS == pytest.approx(0.75, abs=0.01)
    assert str(pick) == "herb 75 %, ruby 25 %"


def test_a_distribution_describes_itself() -> None:
    """A distribution's description names its kind and all its parameters."""
    assert str(Normal(5, 4, 0, 10)) == "normal, mean 5, sigma 4, clipped to 0 to 10"
    assert str(Uniform(1, 20)) == "uniform, 1 to 20"
