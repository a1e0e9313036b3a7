"""One stage of the pipeline from players to views: how much was compared, and what differs."""

from dataclasses import dataclass, field

_SAMPLES = 5


class Differences:
    """The number of differences, and samples of the first few."""

    def __init__(self) -> None:
        self.count = 0
        self.samples: list[str] = []

    def add(self, sample: str, count: int = 1) -> None:
        self.count += count
        if len(self.samples) < _SAMPLES:
            self.samples.append(sample)


@dataclass
class Stage:
    name: str
    unit: str
    compared: int = 0
    lost: Differences = field(default_factory=Differences)
    doubled: Differences = field(default_factory=Differences)
    differing: Differences = field(default_factory=Differences)

    @property
    def differences(self) -> dict[str, Differences]:
        return {"lost": self.lost, "doubled": self.doubled, "differing": self.differing}

    @property
    def ok(self) -> bool:
        return not any(kind.count for kind in self.differences.values())
