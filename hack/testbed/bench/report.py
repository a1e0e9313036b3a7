"""The table of results, in Markdown, for README."""

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import TypeVar

import psutil

from testbed.versions import versions

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """A figure; `reached` is None where nothing was set as a reach."""

    what: str
    ours: str
    compared: str = ""
    ratio: str = ""
    reach: str = ""
    reached: bool | None = None

    def __str__(self) -> str:
        verdict = "" if self.reached is None else f"{self.reach}: {'reached' if self.reached else '**missed**'}"
        return f"| {self.what} | {self.ours} | {self.compared} | {self.ratio} | {verdict} |"


def table(rows: Iterable[Row]) -> str:
    head = "| | gamelake | compared with | ratio | reach |\n|---|---|---|---|---|"
    return "\n".join([head, *map(str, rows)])


def machine() -> str:
    """Where it was measured, in one line."""
    pinned = versions()
    parts = [f"{name} {version(name)}" for name in ("Flask", "gunicorn", "confluent-kafka")]
    parts += [f"{name} {pinned[f'{name.upper()}_VERSION']}" for name in ("Kafka", "Spark")]
    return (
        f"{os.cpu_count()} cores and {psutil.virtual_memory().total / 1e9:.0f} GB, shared by servers and clients; "
        f"Python {platform.python_version()}, {', '.join(parts)}"
    )


def middle(rounds: Sequence[T], figure: Callable[[T], float]) -> float:
    """The median of a figure over all rounds."""
    return median(map(figure, rounds))


def ratios(rounds: Sequence[T], ratio: Callable[[T], float]) -> list[float]:
    return [ratio(one) for one in rounds]


def spread(ratios: Sequence[float]) -> str:
    """The median, and in brackets the least and the most."""
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
