"""The projection of a topic that Kafka has dropped the beginning of."""

from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from game_kafka.topic import Description
from game_trino.settings import TrinoSettings
from game_world import projection
from game_world.events_table import TableError
from game_world.metrics import Metrics
from game_world.projection import Projection
from game_world.settings import Settings
from game_world.store import Store
from testbed.waiting import wait_until

from tests.unit.game_world.lake_table import LakeTable
from tests.unit.game_world.test_any_order import everything
from tests.unit.game_world.topic import Topic

TRINO = "http://trino:8080"


class Kafka:
    """A broker with one partition, of which it holds no record any more: consumer and description at once."""

    def __init__(self, end: int) -> None:
        self._end = end

    def describe(self) -> Description:
        return Description("topic", [0])

    def ends(self, partitions: object, *, committed: bool) -> dict[int, int]:
        return {0: self._end}

    def get_watermark_offsets(self, *_: object) -> tuple[int, int]:
        return self._end, self._end

    def consume(self, *_: object) -> list[object]:
        return []

    def list_topics(self, name: str, _: float) -> object:
        return SimpleNamespace(topics={name: SimpleNamespace(partitions={0: None})})

    def assign(self, _: object) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def table(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> LakeTable:
    """A table of a topic whose records are gone from Kafka; the store has lost the world."""
    for number in range(10):
        topic.do("explore", f"p{number}")
    topic.project()
    table, kafka = LakeTable(), Kafka(10)
    table.load(topic.values)

    def asking(trino: TrinoSettings) -> Any:  # noqa: ANN401
        assert trino.url == TRINO
        return table.ask

    monkeypatch.setattr(projection, "Topic", lambda *_: kafka)
    monkeypatch.setattr(projection, "Consumer", lambda *_, **__: kafka)
    monkeypatch.setattr(projection, "asking", asking)
    return table


def caught_up(store: Store, environment: dict[str, str]) -> None:
    """Let a projection run until the world has caught up."""
    stop = Event()
    thread = Thread(target=Projection(Settings.from_environment(environment), store, Metrics()).run, args=[stop])
    thread.start()
    try:
        wait_until("the world", store.is_caught_up)
    finally:
        stop.set()
        thread.join()


def test_a_lost_world_comes_from_the_table(topic: Topic, table: LakeTable, caplog: pytest.LogCaptureFixture) -> None:
    """With TRINO_URL an emptied store gets its world from the table, and the log names no gap."""
    live = everything(topic.store)
    topic.store.redis.flushall()
    caught_up(topic.store, {"TRINO_URL": TRINO})
    assert everything(topic.store) == live
    assert "lacks these events" not in caplog.text


def test_the_world_waits_for_the_table(topic: Topic, table: LakeTable) -> None:
    """While the table cannot be read, nothing is decided, and no offset is skipped."""
    topic.store.redis.flushall()
    table.fails_after = 0
    with pytest.raises(TableError):
        Projection(Settings.from_environment({"TRINO_URL": TRINO}), topic.store, Metrics()).run(Event())
    assert not topic.store.is_caught_up()
    assert topic.store.positions().get(0, 0) == 0


@pytest.mark.parametrize(("environment", "source"), [({}, "no snapshot has"), ({"TRINO_URL": TRINO}, "nor the table")])
def test_what_nobody_has_is_an_error(
    topic: Topic, table: LakeTable, caplog: pytest.LogCaptureFixture, environment: dict[str, str], source: str
) -> None:
    """The world goes on without events that are nowhere, and the log names their offsets."""
    topic.store.redis.flushall()
    table.load(topic.values[:4])
    caught_up(topic.store, environment)
    begin = 4 if environment else 0
    assert f"offsets {begin} to 9 of partition 0" in caplog.text
    assert source in caplog.text
    assert topic.store.positions() == {0: 10}
