"""The distributions that outcomes are drawn from. `str` describes one in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Normal:
    """A normally distributed integer, clipped to `low` to `high`."""

    mean: float
    sigma: float
    low: int
    high: int

    def draw(self, random: Random) -> int:
        # gauss() is not thread-safe: two threads may get the same number.
        return min(self.high, max(self.low, round(random.normalvariate(self.mean, self.sigma))))

    def __str__(self) -> str:
        return f"normal, mean {self.mean:g}, sigma {self.sigma:g}, clipped to {self.low} to {self.high}"


@dataclass(frozen=True)
class Uniform:
    """A uniformly distributed integer from `low` to `high`."""

    low: int
    high: int

    def draw(self, random: Random) -> int:
        return random.randint(self.low, self.high)

    def __str__(self) -> str:
        return f"uniform, {self.low} to {self.high}"


@dataclass(frozen=True)
class Pick:
    """One of several words, chosen by weight."""

    weights: Mapping[str, int]

    def draw(self, random: Random) -> str:
        return random.choices(list(self.weights), list(self.weights.values()))[0]

    def __str__(self) -> str:
        total = sum(self.weights.values())
        return ", ".join(f"{word} {100 * weight / total:.0f} %" for word, weight in self.weights.items())


Number = Normal | Uniform
Distribution = Number | Pick
