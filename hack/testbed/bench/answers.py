"""The answers that the load generator got: how many of each status, and how long each took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.bench.cost import BenchError
from testbed.percentile import percentile


@dataclass(frozen=True)
class Answers:
    """`times` are microseconds in ascending order, by status; `seconds` is the length of the whole run."""

    seconds: float
    times: Mapping[int, Sequence[int]]

    @classmethod
    def of(cls, printed: Mapping[str, Any]) -> "Answers":
        """Read what testbed.bench.load printed."""
        times = {int(status): sorted(each) for status, each in printed["microseconds"].items()}
        return cls(float(printed["seconds"]), times)

    @property
    def statuses(self) -> dict[int, int]:
        return {status: len(each) for status, each in self.times.items()}

    def only_ok(self, server: str) -> Sequence[int]:
        """Return the times; raise BenchError if there are other statuses than 200."""
        if self.times.keys() != {200}:
            raise BenchError(f"{server}: expected only status 200, got {self.statuses}")
        return self.times[200]


def milliseconds(times: Sequence[int], share: float) -> float:
    """Return a percentile of microseconds, in milliseconds."""
    return percentile(times, share) / 1000
