"""Periodic maintenance: what it does when its steps keep failing."""

import threading
from collections.abc import Callable

import pytest
from lake.maintenance import runs
from lake.maintenance.memory import Memory
from lake.maintenance.runs import PersistentFailureError, stay
from lake.maintenance.steps import Step
from pyspark.errors import PySparkException


class Clock:
    """Maintenance's clock: each wait passes at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1e9 + self.now


class Stop(threading.Event):
    """Counts the runs, and stops maintenance after a number of them."""

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
    """Make a step that fails with each of these causes in turn, the last one forever; an empty cause is no failure."""
    left = list(causes)

    def do() -> str:
        cause = left.pop(0) if len(left) > 1 else left[0]
        if cause:
            raise PySparkException(cause)
        return "done"

    return do


def test_a_persistent_failure_ends_it(clock: Clock) -> None:
    """A step that fails in the same way three times in a row, over five minutes, ends it with the cause."""
    stop = Stop(clock, 100)
    expected = r"^small files failed 3 times in a row in the same way: .*No such file 3$"
    with pytest.raises(PersistentFailureError, match=expected):
        stay([Step("small files", failing("No such file 1", "No such file 2", "No such file 3"))], 150, stop, Memory())
    assert stop.runs == 2


@pytest.mark.parametrize(
    "cause", ["/scratch/blockmgr (No such file or directory)", "java.nio.file.NoSuchFileException: /scratch/blockmgr"]
)
def test_missing_local_files_end_it_soon(clock: Clock, cause: str) -> None:
    """A step that lacks a file of this machine in three runs in a row ends it at once: nothing restores the file."""
    stop = Stop(clock, 100)
    with pytest.raises(PersistentFailureError, match="small files failed 3 times"):
        stay([Step("small files", failing(cause))], 1, stop, Memory())
    assert stop.runs == 2


@pytest.mark.parametrize(
    ("causes", "every"),
    [(["away", "away", ""], 200), (["away"] * 10 + [""], 25), (["", "away", "", "away", ""], 200)],
    ids=["twice", "for less than five minutes", "now and then"],
)
def test_a_temporary_failure_does_not(clock: Clock, causes: list[str], every: float) -> None:
    """It survives failures that are too few, too close together or not consecutive."""
    stop = Stop(clock, 20)
    stay([Step("small files", failing(*causes))], every, stop, Memory())
    assert stop.runs == 20
