"""The backfill: a world made of the table `events` and then of the topic is the one that the whole topic makes."""

import logging
from itertools import count
from random import Random
from threading import Event
from typing import Any

import pytest
from game_trino.settings import TrinoSettings
from game_world.backfill import Backfill
from game_world.capacity import Capacity
from game_world.events_table import EventsTable, TableError, asking, records_of
from game_world.records import records
from game_world.store import Store, StoreLostError, key

from tests.poison import EXAMPLES, POISON
from tests.unit.game_world.lake_table import LakeTable
from tests.unit.game_world.test_any_order import Play, everything
from tests.unit.game_world.topic import Topic
from tests.world_state import stored, summed


@pytest.fixture
def table() -> LakeTable:
    return LakeTable()


def backfill(store: Store, table: LakeTable, begin: int, end: int, stop: Event | None = None) -> None:
    """Fill up the world when Kafka holds the offsets from `begin` to `end`."""
    held = {0: range(begin, end)}
    Backfill(store, EventsTable(table.ask), Capacity(store)).run("topic", held, stop or Event())


def lose(store: Store) -> None:
    """Empty the store, and claim it for the same topic."""
    store.redis.flushall()
    store.claim("topic")


def none_pending(names: Any) -> list[bool]:  # noqa: ANN401
    return [False for _ in names]


def test_a_row_is_the_record_that_it_was_made_of(table: LakeTable) -> None:
    """Of each event type and of each kind of bad record the world gets from the row what it gets from the topic."""
    values = [
        *(path.read_bytes() for path in sorted(EXAMPLES.glob("*.json"))),
        *(value for value, _ in POISON.values()),
    ]
    table.load(values)
    rows = [*EventsTable(table.ask).rows(0, range(len(values)))]
    assert [row.offset for row in rows] == [*range(len(values))]
    assert records_of(rows, none_pending) == records(values, none_pending)


@pytest.mark.parametrize("seed", range(40))
def test_table_and_topic_make_the_world(store: Store, table: LakeTable, seed: int) -> None:
    """Wherever Kafka's records begin, the world is the same as before, down to boards and used keys."""
    play, random = Play(store, seed), Random(seed)
    for _ in range(random.randint(1, 120)):
        play.step()
    play.end()
    values = play.topic.values
    live, once = everything(store), strings(store, "once:")
    begin = random.randint(1, len(values))
    table.load(values[: random.randint(begin, len(values))])
    lose(store)
    backfill(store, table, begin, len(values))
    assert store.positions() == {0: begin}
    play.topic.project()
    assert stored(store) == summed(play.topic.events())
    assert everything(store) == live
    assert strings(store, "once:") == once


def strings(store: Store, prefix: str) -> dict[str, str]:
    return {str(name): str(store.redis.get(name)) for name in store.redis.scan_iter(key(f"{prefix}*"))}


def test_a_backfill_that_fails_continues_where_it_was(
    topic: Topic, table: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the table cannot be read, nothing is left out and nothing is decided; no event counts twice."""
    monkeypatch.setattr("game_world.backfill._BATCH", 3)
    monkeypatch.setattr("game_world.backfill._PAGE", 10)
    for number in range(40):
        topic.do("explore" if number % 2 else "default", f"p{number % 5}")
    topic.project()
    store, live, total = topic.store, everything(topic.store), len(topic.values)
    table.load(topic.values)
    lose(store)
    reached = []
    for attempt in count():
        table.fails_after = 12
        try:
            backfill(store, table, total, total)
        except TableError:
            reached.append(store.positions()[0])
            assert not store.is_caught_up()
        else:
            break
        assert attempt < total
    assert len(reached) > 1
    assert reached == sorted(set(reached))
    assert store.positions() == {0: total}
    assert everything(store) == live


def test_a_backfill_stops_when_it_is_told_to(topic: Topic, table: LakeTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not projected yet is projected by the next one."""
    monkeypatch.setattr("game_world.backfill._BATCH", 2)
    for number in range(10):
        topic.do("explore", f"p{number}")
    topic.project()
    store, live, stop = topic.store, everything(topic.store), Event()
    table.load(topic.values)
    lose(store)
    project = store.project

    def stopping(*given: Any) -> int:  # noqa: ANN401
        stop.set()
        return project(*given)

    monkeypatch.setattr(store, "project", stopping)
    backfill(store, table, 10, 10, stop)
    assert store.positions() == {0: 2}
    backfill(store, table, 10, 10)
    assert everything(store) == live


def test_a_table_that_ends_early(topic: Topic, table: LakeTable) -> None:
    """The world has what the table has; its position says which offsets it lacks."""
    for number in range(10):
        topic.do("explore", f"p{number}")
    table.load(topic.values[:6])
    lose(topic.store)
    backfill(topic.store, table, 8, 10)
    assert topic.store.positions() == {0: 6}
    assert stored(topic.store).keys() == {f"hero:p{number}" for number in range(6)}


def test_a_table_that_begins_late(topic: Topic, table: LakeTable, caplog: pytest.LogCaptureFixture) -> None:
    """Offsets before the first row, such as those of days that were deleted, are named in an error."""
    for number in range(10):
        topic.do("explore", f"p{number}")
    table.load(topic.values[4:], first=4)
    lose(topic.store)
    with caplog.at_level(logging.ERROR):
        backfill(topic.store, table, 8, 10)
    assert "neither Kafka nor the table `events` has offsets 0 to 3 of partition 0" in caplog.text
    assert topic.store.positions() == {0: 8}
    assert stored(topic.store).keys() == {f"hero:p{number}" for number in range(4, 8)}


def test_an_empty_table(topic: Topic, table: LakeTable) -> None:
    """Nothing is projected, and the world is still at the start."""
    topic.do("explore", "ada")
    lose(topic.store)
    backfill(topic.store, table, 1, 1)
    assert topic.store.positions() == {0: 0}


def test_offsets_without_rows_are_those_of_transactions(topic: Topic, table: LakeTable) -> None:
    """Between two rows, and before a later row, they are skipped."""
    for number in range(6):
        topic.do("explore", f"p{number}")
    table.load(topic.values)
    table.change("DELETE FROM events WHERE kafka_offset IN (2, 4)")
    lose(topic.store)
    backfill(topic.store, table, 5, 6)
    assert topic.store.positions() == {0: 5}
    assert stored(topic.store).keys() == {"hero:p0", "hero:p1", "hero:p3"}


def test_the_table_of_another_topic_is_not_used(topic: Topic, caplog: pytest.LogCaptureFixture) -> None:
    """Its offsets are others: an error names both topics."""
    table = LakeTable("another")
    topic.do("explore", "ada")
    table.load(topic.values)
    lose(topic.store)
    backfill(topic.store, table, 1, 1)
    assert "expected topic id topic, got another" in caplog.text
    assert stored(topic.store) == {}


def test_nothing_is_asked_while_kafka_has_everything(topic: Topic, table: LakeTable) -> None:
    """A world that lacks nothing that Kafka has dropped needs no table, and goes on deciding."""
    topic.do("explore", "ada")
    topic.project()
    backfill(topic.store, table, 1, 1)
    assert table.queries == 0
    assert topic.store.is_caught_up()


def test_a_store_that_has_gone_back(topic: Topic, table: LakeTable) -> None:
    """What it had decided and not read yet is confirmed by the table, and counts once; nothing is decided meanwhile."""
    topic.do("explore", "ada")
    topic.project()
    topic.do("explore", "ada")
    topic.do("found_guild", "ada", guild="owls")
    topic.do("join_guild", "bob", guild="owls")
    table.load(topic.values)
    assert len(topic.pending()) == 3
    backfill(topic.store, table, 4, 4)
    assert topic.pending() == []
    assert not topic.store.is_caught_up()
    assert stored(topic.store) == summed(topic.events())


def test_a_store_that_is_lost_meanwhile(topic: Topic, table: LakeTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next projection begins again, as when it reads the topic."""
    for number in range(4):
        topic.do("explore", f"p{number}")
    table.load(topic.values)
    lose(topic.store)
    monkeypatch.setattr("game_world.backfill._BATCH", 2)
    project = topic.store.project

    def losing(*given: Any) -> int:  # noqa: ANN401
        continued = project(*given)
        topic.store.redis.flushall()
        return continued

    monkeypatch.setattr(topic.store, "project", losing)
    with pytest.raises(StoreLostError):
        backfill(topic.store, table, 4, 4)


def test_an_erased_player_does_not_come_back(topic: Topic, table: LakeTable) -> None:
    """Neither do effects and ties of others on them; what such events changed for the others stays."""
    lose(topic.store)
    own = topic.event("purchase_sword", "eve")
    tribute = topic.event("pay_tribute", "ada", target="eve", amount=20, gold=-20, target_gold=20)
    gift = topic.event("give_item", "ada", target="eve", item="ore")
    topic.write(own, tribute, gift, topic.event("declare_war", "ada", target="eve"))
    table.load(topic.values)
    table.change("UPDATE events SET target = NULL WHERE target = 'eve'")
    table.change(
        "UPDATE events SET family = 'erased', player = NULL, event_id = NULL, event_type = NULL, strength = NULL "
        "WHERE player = 'eve'"
    )
    backfill(topic.store, table, 4, 4)
    assert topic.store.positions() == {0: 4}
    assert stored(topic.store).keys() == {"hero:ada"}
    assert topic.hero("ada")["gold"] == 80
    assert topic.hero("ada")["item:ore"] == -1
    assert not [name for name in topic.hero("ada") if name.startswith("tie:")]
    assert [name for name in topic.store.redis.scan_iter("*") if "eve" in name or "," in name] == []


def test_trino_is_away() -> None:
    """The error names the address."""
    url = "http://127.0.0.1:1"
    with pytest.raises(TableError, match=url):
        EventsTable(asking(TrinoSettings(url))).topic_id()
