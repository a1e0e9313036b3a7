"""Rows of the benchmarks, and their table in Markdown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from testbed.results.machine import this_machine

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One figure; `met` is None where no target is set, or where it could not be measured."""

    what: str
    value: str
    comparison: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        outcome = {True: "met", False: "**missed**", None: "not measured"}[self.met]
        verdict = f"{self.target}: {outcome}" if self.target else ""
        return f"| {self.what} | {self.value} | {self.comparison} | {self.ratio} | {verdict} |"


def table(rows: Iterable[Row]) -> str:
    head = "| | gamelake | compared with | ratio | target |\n|---|---|---|---|---|"
    return "\n".join([head, *map(str, rows)])


def machine() -> str:
    """Describe this machine in one line."""
    return str(this_machine())


def middle(rounds: Sequence[T], figure: Callable[[T], float]) -> float:
    """Return the median of a figure over all rounds."""
    return median(map(figure, rounds))


def ratios(rounds: Sequence[T], ratio: Callable[[T], float]) -> list[float]:
    return [ratio(one) for one in rounds]


def spread(ratios: Sequence[float]) -> str:
    """Format the median, followed by the lowest and the highest ratio in brackets."""
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
