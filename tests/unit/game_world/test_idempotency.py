"""Requests under a key, their retries, and what the projection confirms, applies and reverts."""

import pytest
from game_world.commands import pending_name
from game_world.store import IDEMPOTENCY_TTL, key
from game_world.world import RefusedError

from tests.unit.game_world.topic import START_TIME, Topic
from tests.world_state import stored, summed

HOUR = 3_600_000


def test_a_retry_gets_the_cached_response(topic: Topic) -> None:
    """A second request under a key has the decision of the first, and no effect."""
    first, second = (topic.event("explore", "ada", "key") for _ in range(2))
    decision = topic.decide(first)
    before = topic.hero("ada")
    again = topic.decide(second)
    assert (decision.again, again.again) == (False, True)
    assert again.fields == decision.fields
    assert topic.hero("ada") == before
    [response] = topic.store.redis.scan_iter(key("response:*"))
    assert topic.store.redis.ttl(response) == IDEMPOTENCY_TTL


def test_a_key_is_for_one_request(topic: Topic) -> None:
    """A request with other parameters is refused."""
    topic.decide(topic.event("join_guild", "ada", "key", guild="owls"))
    with pytest.raises(RefusedError, match="another request"):
        topic.decide(topic.event("join_guild", "ada", "key", guild="bears"))


def test_a_key_stays_used(topic: Topic) -> None:
    """Without its cached response a retry is refused; one without preconditions is written again and does not count."""
    topic.do("explore", "ada", "key")
    topic.do("purchase_sword", "ada", "key")
    topic.project()
    assert topic.store.drop_responses() == 2
    with pytest.raises(RefusedError, match="no longer cached"):
        topic.decide(topic.event("explore", "ada", "key"))
    topic.do("purchase_sword", "ada", "key")
    topic.project()
    assert topic.hero("ada")["item:sword"] == 1
    assert stored(topic.store) == summed(topic.events())


@pytest.mark.parametrize(
    ("hours", "counted"),
    [([0, 1, 23, 25, 49], 1), ([0, 25], 2), ([0, 24], 1), ([0, 25, 26, 51], 3), ([0, 23, 46, 69, 100], 2)],
)
def test_a_key_counts_once_a_day(topic: Topic, hours: list[int], counted: int) -> None:
    """Records under one key count once while each is within a day of the one before."""
    for hour in hours:
        topic.write(topic.event("purchase_sword", "ada", "key", received_at=START_TIME + hour * HOUR))
    topic.project()
    assert topic.hero("ada")["item:sword"] == counted
    assert stored(topic.store) == summed(topic.events())


def test_a_shared_event_is_reverted_only_by_the_projection(topic: Topic) -> None:
    """An event that two requests write stays if Kafka refuses one of them."""
    event = topic.event("read_stars", "ada", "key")
    topic.decide(event)
    topic.decide(topic.event("read_stars", "ada", "key"))
    assert not topic.world.revert(event)
    assert topic.hero("ada")["experience"] > 0
    assert topic.store.revert([pending_name(event)], shared=True)
    assert "experience" not in topic.hero("ada")


def test_a_revert_ends_the_cached_response(topic: Topic) -> None:
    """After a revert a request under the key is decided again."""
    event = topic.event("explore", "ada", "key")
    topic.decide(event)
    assert topic.world.revert(event)
    assert not topic.decide(topic.event("explore", "ada", "key")).again


@pytest.mark.parametrize("written", [("first", "retry"), ("retry", "first")])
def test_an_unconfirmed_event_is_retried_under_its_id(topic: Topic, written: tuple[str, ...]) -> None:
    """The retry of an event without a key has its outcome, and the two have one effect in either order."""
    first = topic.event("throw_dice", "ada", amount=10)
    assert topic.world.may_be_written([first]) == [False]
    topic.world.note_unconfirmed([first], topic.decide(first).reply)
    assert topic.world.may_be_written([first]) == [True]
    retry = topic.event("throw_dice", "ada", first["event_id"], amount=10)
    assert topic.decide(retry).again
    assert (retry["won"], retry["gold"]) == (first["won"], first["gold"])
    events = {"first": first, "retry": retry}
    topic.write(*(events[name] for name in written))
    topic.project()
    assert topic.hero("ada")["gold"] == 100 + first["gold"]
    assert not topic.pending()


def test_an_unconfirmed_event_that_is_reverted_leaves_no_response(topic: Topic) -> None:
    """Once the projection has reverted it, a retry is decided again."""
    event = topic.event("explore", "ada")
    topic.world.note_unconfirmed([event], topic.decide(event).reply)
    topic.store.revert([pending_name(event)], shared=True)
    assert not topic.decide(topic.event("explore", "ada", event["event_id"])).again


def test_records_are_applied_once(topic: Topic) -> None:
    """A projection that is behind another one changes nothing, and learns where to continue."""
    topic.write(topic.event("purchase_sword", "ada"))
    topic.project()
    assert topic.store.project(0, range(1), []) == 1
    assert topic.hero("ada")["item:sword"] == 1


def test_a_record_that_is_no_longer_pending_is_read_again(topic: Topic) -> None:
    """If an event was reverted while its record was read, the record is not taken for a confirmed one."""
    event = topic.do("explore", "ada")
    topic.store.revert([pending_name(event)], shared=True)
    record = {"name": pending_name(event), "player": "ada", "at": START_TIME, "is_free": False, "is_marked": False}
    assert topic.store.project(0, range(1), [record]) == 0
    topic.project()
    assert stored(topic.store) == summed(topic.events())


def test_a_record_written_twice_counts_as_the_views_count_it(topic: Topic) -> None:
    """Only the first of two equal records confirms a pending event."""
    event = topic.do("purchase_sword", "ada")
    topic.write(event)
    topic.project()
    assert topic.hero("ada")["item:sword"] == 2
    assert stored(topic.store) == summed(topic.events())
