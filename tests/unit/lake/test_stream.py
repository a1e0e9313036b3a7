"""The pace of the stream: at once while it is behind, and otherwise a trigger interval after the last batch began."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from lake import stream
from lake.coverage import Coverage
from lake.events_table import TableError
from lake.loader import Batch
from lake.offsets import OffsetRange, UnavailableError
from lake.settings import Settings
from lake.stream import Stream

REQUIRED = {"TRINO_URL": "http://trino:8080"} | dict.fromkeys(
    ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC", "METASTORE_URI"), "1"
)
SETTINGS = replace(
    Settings.from_environment(REQUIRED),
    trigger_seconds=10,
    max_offsets_per_trigger=100,
)


class World(threading.Event):
    """A clock, a topic that grows by a record a second, a table, and an event that stops the stream in the end."""

    def __init__(self, until: float, begins: int) -> None:
        super().__init__()
        self.now, self._until, self._begins = 1000.0, 1000 + until, begins
        self.batches: list[tuple[float, int]] = []
        self.looks: list[float] = []
        self.is_up: Callable[[float], bool] = lambda _: True
        self.coverage = Coverage()

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return self.now > self._until

    def all(self) -> list[OffsetRange]:
        self.now += 0.01
        if not self.is_up(self.now - 1000):
            raise UnavailableError("no answer")
        return [OffsetRange(0, 0, self._begins + int(self.now - 1000))]

    def load(self, most: int, begun: Callable[[], None]) -> Batch | None:
        begun()
        [gap] = self.coverage.missing(self.all()[0])
        start = self.now
        self.now += 2
        loaded = OffsetRange(0, gap.start, min(gap.end, gap.start + most))
        self.coverage |= Coverage.of([loaded])
        self.batches.append((round(start - 1000), loaded.size))
        return Batch([loaded], loaded.size, 0, {"write": 2.0}, loaded == gap)

    def refresh(self) -> None:
        self.looks.append(self.now - 1000)

    def begun(self) -> None:
        pass

    def committed(self, batch: Batch) -> None:
        pass


def run(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(stream, "time", world)
    Stream(world, world, SETTINGS, world).run(world)  # type: ignore[arg-type]


def test_at_once_while_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that is behind loads batch after batch; once it is not, it begins one every trigger interval."""
    world = World(until=40, begins=250)
    run(monkeypatch, world)
    assert world.batches == [(0, 100), (2, 100), (4, 54), (14, 10), (24, 10), (34, 10)]


def test_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream without new records loads nothing, and looks at the table now and then, in case it was rolled back."""
    world = World(until=100, begins=0)
    monkeypatch.setattr(world, "all", lambda: [OffsetRange(0, 0, 5)])
    run(monkeypatch, world)
    assert world.batches == [(0, 5)]
    assert len(world.looks) == 3


def test_a_rollback_while_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a table that was rolled back lacks is loaded although no record arrives."""
    world = World(until=60, begins=0)
    monkeypatch.setattr(world, "all", lambda: [OffsetRange(0, 0, 5)])
    monkeypatch.setattr(world, "refresh", lambda: setattr(world, "coverage", Coverage.parse("0:0-3")))
    run(monkeypatch, world)
    assert [size for _, size in world.batches] == [5, 2]


@pytest.mark.parametrize("window", [OffsetRange(0, 0, 4), OffsetRange(0, 7, 7), OffsetRange(1, 0, 0)])
def test_a_topic_that_does_not_fit(monkeypatch: pytest.MonkeyPatch, window: OffsetRange) -> None:
    """A log that went back, lost offsets or lacks a partition is looked into at once, although no record arrives."""
    world = World(until=60, begins=0)
    world.coverage = Coverage.parse("0:0-5")
    monkeypatch.setattr(world, "all", lambda: [window])

    def refuse(*_: object, **__: object) -> None:
        raise TableError("does not fit")

    monkeypatch.setattr(world, "load", refuse)
    with pytest.raises(TableError):
        run(monkeypatch, world)
    assert world.now == 1000


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream waits for a server that restarts, and ends if it stays away."""
    world = World(until=200, begins=0)
    world.is_up = lambda now: not 15 < now < 150
    run(monkeypatch, world)
    assert any(now > 150 for now, _ in world.batches)
    world = World(until=400, begins=0)
    world.is_up = lambda now: now < 15
    with pytest.raises(UnavailableError):
        run(monkeypatch, world)
    assert 190 < world.now - 1000 < 200
