"""Maintenance that stays: what it does when its steps go on failing."""

import threading
from collections.abc import Callable

import pytest
from lake.maintenance import runs
from lake.maintenance.runs import HopelessError, stay
from lake.maintenance.steps import Step
from pyspark.errors import PySparkException


class Clock:
    """Time as maintenance sees it: each wait passes at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Told(threading.Event):
    """Counts the runs, and tells maintenance to end after so many."""

    def __init__(self, clock: Clock, runs: int) -> None:
        super().__init__()
        self._clock, self.runs, self._most = clock, 0, runs

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.now += timeout or 0
        self.runs += 1
        if self.runs >= self._most:
            self.set()
        return self.is_set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(runs, "time", one)
    return one


def failing(*causes: str) -> Callable[[], str]:
    """Make a step that fails for each of these causes in turn, the last one for ever; an empty one is none."""
    left = list(causes)

    def do() -> str:
        cause = left.pop(0) if len(left) > 1 else left[0]
        if cause:
            raise PySparkException(cause)
        return "done"

    return do


def test_what_fails_in_the_same_way_for_long_ends_it(clock: Clock) -> None:
    """A step that has failed alike in three runs in a row, over five minutes, ends it with the step and its cause."""
    told = Told(clock, 100)
    with pytest.raises(HopelessError, match=r"^small files failed 3 times in a row in the same way: .*No such file 3$"):
        stay([Step("small files", failing("No such file 1", "No such file 2", "No such file 3"))], 150, told)
    assert told.runs == 2


def test_lost_files_of_its_own_end_it_soon(clock: Clock) -> None:
    """A step that lacks a file of this machine three times in a row ends it at once: nothing brings that back."""
    told = Told(clock, 100)
    with pytest.raises(HopelessError, match="small files failed 3 times"):
        stay([Step("small files", failing("/scratch/blockmgr (No such file or directory)"))], 1, told)
    assert told.runs == 2


@pytest.mark.parametrize(
    ("causes", "every"),
    [(["away", "away", ""], 200), (["away"] * 10 + [""], 25), (["", "away", "", "away", ""], 200)],
    ids=["twice", "for less than five minutes", "now and then"],
)
def test_what_passes_does_not(clock: Clock, causes: list[str], every: float) -> None:
    """Failures that are too few, too close together or not in a row leave it at work."""
    told = Told(clock, 20)
    stay([Step("small files", failing(*causes))], every, told)
    assert told.runs == 20
