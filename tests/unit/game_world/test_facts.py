"""Facts: the latest value of a guild or a tie holds, whether others are written or reverted."""

from itertools import permutations, product

import pytest
from game_world.capacity import Capacity
from game_world.store import MOST_TIES, key

from tests.unit.game_world.topic import Topic
from tests.world_state import stored, summed

GUILDS = ("bears", "cats", "owls")


@pytest.mark.parametrize("decided", [*permutations(range(3))])
@pytest.mark.parametrize("settled", [*permutations(range(3))])
def test_the_latest_guild_holds(topic: Topic, decided: tuple[int, ...], settled: tuple[int, ...]) -> None:
    """Of three guilds, received by any clocks and written or reverted in any order, the last one decided holds."""
    for outcomes in product((True, False), repeat=3):
        topic.values.clear()
        topic.rebuild()
        events = [topic.event("join_guild", "ada", guild=guild) for guild in GUILDS]
        for number in decided:
            topic.decide(events[number])
        assert topic.hero("ada")["guild"] == GUILDS[decided[-1]]
        left = set(range(3))
        for number in settled:
            if outcomes[number]:
                topic.write(events[number])
                topic.project()
            else:
                assert topic.world.revert(events[number])
                left.remove(number)
            expected = GUILDS[max(left, key=decided.index)] if left else None
            assert topic.hero("ada").get("guild") == expected
            members = {guild for guild in GUILDS if topic.store.redis.smembers(key(f"members:{guild}"))}
            assert members == ({expected} if expected else set())
        assert not topic.store.redis.exists(key("candidates:ada"))
        assert bool(left) is topic.store.redis.hexists(key("hero:ada"), "@guild")


def test_the_store_tells_the_time_of_facts(topic: Topic) -> None:
    """A fact is stamped by the store and later than the one before, whatever the clocks of the API's processes say."""
    hour = 3_600_000
    now = int(topic.store.now() * 1000)
    ahead = topic.event("join_guild", "ada", guild="owls", received_at=now + hour)
    behind = topic.event("join_guild", "ada", guild="bears", received_at=now - hour)
    topic.decide(ahead)
    topic.decide(behind)
    assert topic.hero("ada")["guild"] == "bears"
    assert now <= ahead["received_at"] < behind["received_at"] < now + 60_000
    topic.write(ahead, behind)
    topic.project()
    live = stored(topic.store)
    assert not topic.pending()
    topic.rebuild()
    assert stored(topic.store) == live == summed(topic.events())


def test_a_fact_is_later_than_the_one_before(topic: Topic) -> None:
    """Even if the store's clock goes back, or another writer's is ahead, the fact that was decided last holds."""
    soon, later = (int(topic.store.now() * 1000) + lead for lead in (50_000, 10**9))
    topic.write(topic.event("join_guild", "ada", guild="owls", received_at=soon))
    topic.project()
    assert topic.do("join_guild", "ada", guild="bears")["received_at"] == soon + 1
    assert topic.hero("ada")["guild"] == "bears"
    # A stamp of another writer that is far ahead does not take the clock along.
    topic.write(topic.event("join_guild", "bob", guild="owls", received_at=later))
    topic.project()
    assert topic.do("join_guild", "bob", guild="bears")["received_at"] < soon


def test_a_retry_has_the_time_of_the_first_attempt(topic: Topic) -> None:
    """A request under a key gets the store's time, its retry the same, and both are one event."""
    first = topic.do("join_guild", "ada", "key", guild="owls")
    again = topic.do("join_guild", "ada", "key", guild="owls")
    assert again["received_at"] == first["received_at"]
    topic.project()
    assert not topic.pending()
    assert stored(topic.store) == summed(topic.events())


def test_joining_a_guild_again_keeps_its_name(topic: Topic) -> None:
    """A guild whose only member joins it a second time is shown as it was given."""
    for _ in range(2):
        topic.do("join_guild", "ada", guild="owls", guild_name="The Owls")
    assert topic.store.redis.hget(key("guild:owls"), "name") == "The Owls"
    assert topic.store.redis.zscore(key("board:guilds"), "owls") == 1


def test_the_latest_ties_hold(topic: Topic) -> None:
    """A hero has at most MOST_TIES ties, the latest ones, also while they are pending."""
    events = [topic.event("declare_war", "ada", target=f"t{number:03d}") for number in range(MOST_TIES + 3)]
    for event in reversed(events):
        topic.decide(event)
    # Of the same millisecond the greater name holds.
    events.sort(key=lambda event: (event["received_at"], event["target"]))
    assert len(topic.store.redis.zrange(key("tied:ada"), 0, -1)) == MOST_TIES
    topic.write(*events)
    topic.project()
    ties = {name.removeprefix("tie:") for name in topic.hero("ada") if name.startswith("tie:")}
    assert ties == {event["target"] for event in events[3:]}
    assert len(topic.store.redis.zrange(key("ties:war"), 0, -1)) == MOST_TIES
    assert not topic.store.redis.exists(key("candidates:ada"))


def test_a_forgotten_player_leaves_nothing(topic: Topic) -> None:
    """The player is in no key afterwards, and what is confirmed or reverted later does not bring them back."""
    pending = [topic.event("join_guild", "ada", guild="owls"), topic.event("declare_war", "ada", target="bob")]
    for event in pending:
        topic.decide(event)
    topic.do("declare_war", "bob", target="ada")
    topic.store.forget("ada")
    topic.write(pending[0])
    topic.project()
    topic.store.revert(topic.pending())
    assert not topic.hero("ada")
    names = [name for name in topic.store.redis.scan_iter("*") if "ada" in name]
    assert not names
    assert not topic.store.redis.exists(key("members:owls"), key("ties:war"), key("candidates:bob"))


def test_a_visitor_of_long_ago_is_forgotten(topic: Topic) -> None:
    """A player whose actions had no precondition is forgotten a day later; one with a decision stays."""
    for player in ("guest", "native"):
        topic.do("default", player)
        topic.write(topic.event("join_guild", player, guild="owls"))
    topic.do("explore", "native")
    topic.project()
    Capacity(topic.store).forget_old()
    assert topic.hero("guest")
    topic.store.redis.flushall()
    # The events are from long ago: a rebuilt world sees the visit then.
    topic.rebuild()
    Capacity(topic.store).forget_old()
    assert not topic.hero("guest")
    assert topic.store.redis.smembers(key("members:owls")) == {"native"}
