"""Chance: the distributions that outcomes are drawn from. Each says in words what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Normal:
    """An integer, normally distributed; what falls outside `low` to `high` lies at the ends."""

    mean: float
    sigma: float
    low: int
    high: int

    def draw(self, random: Random) -> int:
        # Not gauss(), which may give two threads the same number.
        return min(self.high, max(self.low, round(random.normalvariate(self.mean, self.sigma))))

    def __str__(self) -> str:
        return f"normal, mean {self.mean:g}, sigma {self.sigma:g}, clipped to {self.low} to {self.high}"


@dataclass(frozen=True)
class Uniform:
    """An integer from `low` to `high`, each as likely."""

    low: int
    high: int

    def draw(self, random: Random) -> int:
        return random.randint(self.low, self.high)

    def __str__(self) -> str:
        return f"{self.low} to {self.high}, each as likely"


@dataclass(frozen=True)
class Pick:
    """One of some words, each as often as its weight says."""

    weights: Mapping[str, int]

    def draw(self, random: Random) -> str:
        return random.choices(list(self.weights), list(self.weights.values()))[0]

    def __str__(self) -> str:
        total = sum(self.weights.values())
        return ", ".join(f"{word} {100 * weight / total:.0f} %" for word, weight in self.weights.items())


Number = Normal | Uniform
Distribution = Number | Pick
