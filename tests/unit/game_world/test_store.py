"""The store: whose keys it may hold, and what it drops when memory is short."""

import pytest
from game_events.event_ids import RETRY_SECONDS
from game_world.capacity import FULL, HIGH, Capacity
from game_world.store import PREFIX, Store, StoreLostError, StoreRefusedError, key

from tests.unit.game_world.topic import START_TIME, Topic


def test_a_world_is_claimed_once(store: Store) -> None:
    """An empty store begins a world; a world of the same topic is kept, and another topic's is replaced."""
    assert store.claim("one")
    store.begin_at("one", 0, None, 5)
    assert not store.claim("one")
    assert store.positions() == {0: 5}
    assert store.claim("two")
    assert store.positions() == {}


@pytest.mark.parametrize("has_begun", [True, False], ids=["a new world", "nothing"])
def test_a_store_that_loses_its_world_does_not_begin_in_the_middle(store: Store, has_begun: bool) -> None:
    """Positions that were read before the store was emptied do not hold for it, even if its world has begun again."""
    store.claim("one")
    store.begin_at("one", 0, None, 5)
    store.redis.flushall()
    if has_begun:
        store.claim("one")
    with pytest.raises(StoreLostError):
        store.begin_at("one", 0, 5, 5)
    assert store.positions() == {}


@pytest.mark.parametrize("marker", ["topic", "gamelake:topic", "gamelake:v2:topic"])
def test_a_world_of_an_earlier_layout_is_replaced(store: Store, marker: str) -> None:
    """The keys of earlier layouts are removed, even beside keys of others."""
    earlier = marker.removesuffix("topic")
    store.redis.mset({marker: "one", f"{earlier}caught_up": 1, f"{earlier}once:0": 1, "cart:7": "a lamp"})
    store.redis.hset(f"{earlier}pending", "x", "{}")
    store.redis.hset(f"{earlier}hero:ada", "gold", 1)
    assert store.claim("one")
    assert sorted(store.redis.scan_iter("*")) == ["cart:7", key("topic")]


def test_a_world_of_another_layout_is_not_read(store: Store) -> None:
    """An earlier release does not decide on the basis of this layout: none of its keys exist."""
    store.redis.mset({"gamelake:topic": "one", "gamelake:caught_up": 1})
    Topic(store).do("explore", "ada")
    assert not [name for name in store.redis.scan_iter("*") if not name.startswith(PREFIX)]


def test_keys_of_others_are_left_alone(store: Store) -> None:
    """A store that holds other keys and no world is refused, and stays as it is."""
    store.redis.mset({"cart:7": "a lamp", b"\xff\x00": "bytes"})
    with pytest.raises(StoreRefusedError, match="'cart:7'"):
        store.claim("one")
    assert store.redis.dbsize() == 2


def test_a_store_that_may_evict_keys_is_refused(topic: Topic) -> None:
    """Decisions stop, as a key that is lost silently would let an event be paid twice."""
    topic.store.redis.config_set("maxmemory-policy", "volatile-lru")
    try:
        with pytest.raises(StoreRefusedError, match="expected noeviction, got volatile-lru"):
            topic.store.claim("topic")
    finally:
        topic.store.redis.config_set("maxmemory-policy", "noeviction")
    assert not topic.store.is_caught_up()


def test_a_lost_world_is_noticed(topic: Topic) -> None:
    """A projection whose store was emptied does not go on, nor is an empty world caught up."""
    topic.store.redis.flushall()
    with pytest.raises(StoreLostError):
        topic.store.project(0, range(1), [])
    with pytest.raises(StoreLostError):
        topic.store.set_caught_up()


def test_memory_is_freed_in_order(topic: Topic) -> None:
    """Above HIGH visitors are forgotten, then cached responses and old keys; above FULL new names are refused."""
    redis, capacity = topic.store.redis, Capacity(topic.store)
    topic.do("explore", "ada", "key")
    topic.write(*(topic.event("default", f"guest {number}", received_at=START_TIME) for number in range(300)))
    topic.project()
    # An argument of this size would count as memory, too, until the server lets go of its buffer.
    redis.setrange("filler", 8 << 20, "x")
    used = redis.info("memory")["used_memory"] - redis.info("memory")["mem_not_counted_for_evict"]
    try:
        redis.config_set("maxmemory", int(used / (HIGH - 0.05)))
        capacity.keep()
        assert redis.zcard(key("visitors")) == 300
        redis.config_set("maxmemory", int(used / (FULL + 0.05)))
        capacity.keep()
        assert capacity.is_full
        assert redis.exists(key("full"))
        assert not redis.exists(key("visitors"))
        assert not list(redis.scan_iter(key("response:*")))
        assert topic.hero("ada")
        redis.delete("filler")
        capacity.keep()
        assert not capacity.is_full
        assert not redis.exists(key("full"))
    finally:
        redis.config_set("maxmemory", 0)


def test_keys_near_their_end_are_dropped(topic: Topic) -> None:
    """Keys with at most a given share of their life left are dropped, and no others."""
    topic.do("explore", "ada", "key")
    topic.do("explore", "bob")
    topic.project()
    assert topic.store.drop_keys(0.9) == 0
    assert topic.store.drop_keys(1.0) == 2


def test_an_unconfirmed_event_is_remembered_for_its_retries(topic: Topic) -> None:
    """The note about it, and its cached response, last as long as it may be retried."""
    event = topic.event("explore", "ada")
    topic.world.note_unconfirmed([event], topic.decide(event).reply)
    for kind in ("unconfirmed", "response"):
        [name] = topic.store.redis.scan_iter(key(f"{kind}:*"))
        assert topic.store.redis.ttl(name) == RETRY_SECONDS


def test_the_feed_is_bounded(topic: Topic) -> None:
    """Old events leave the event feed."""
    for _ in range(20):
        topic.store.feed([b"{}"] * 100)
    assert topic.store.redis.xlen(key("feed")) < 1000
