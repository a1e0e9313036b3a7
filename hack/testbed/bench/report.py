"""Rows of the benchmarks, and their table in Markdown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any, TypeVar

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

    @property
    def heads(self) -> tuple[str, ...]:
        return "", "gamelake", "compared with", "ratio", "target"

    def __str__(self) -> str:
        outcome = {True: "met", False: "**missed**", None: "not measured"}[self.met]
        verdict = f"{self.target}: {outcome}" if self.target else ""
        return f"| {self.what} | {self.value} | {self.comparison} | {self.ratio} | {verdict} |"


@dataclass(frozen=True)
class Compared:
    """One figure of several peers, each in a column of its own: `figures` by peer."""

    what: str
    figures: Mapping[str, str]

    @property
    def heads(self) -> tuple[str, ...]:
        return "", *self.figures

    def __str__(self) -> str:
        return f"| {' | '.join([self.what, *self.figures.values()])} |"


def row(fields: Mapping[str, Any]) -> Row | Compared:
    """Return the row with these fields."""
    return Compared(**fields) if "figures" in fields else Row(**fields)


def table(rows: Iterable[Row | Compared]) -> str:
    """Return a table of the rows; where their columns change, another one begins."""
    return "\n\n".join(
        "\n".join([f"| {' | '.join(heads)} |".replace("|  |", "| |"), "|---" * len(heads) + "|", *map(str, each)])
        for heads, each in groupby(rows, key=lambda one: one.heads)
    )


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
