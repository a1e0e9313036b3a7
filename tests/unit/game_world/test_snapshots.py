"""Snapshots: a world that is restored, and then reads on, is the one that the topic makes."""

import gzip
import logging
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from time import sleep, time

import orjson
import pytest
from game_world.keeper import Keeper
from game_world.snapshots import KEPT, SnapshotError, Snapshots
from game_world.store import Store, StoreBusyError, StoreLostError, key
from redis import Redis

from tests.unit.game_world.test_any_order import Play, everything
from tests.unit.game_world.topic import Topic
from tests.world_state import stored, summed


@pytest.fixture
def snapshots(store: Store, tmp_path: Path) -> Snapshots:
    return Snapshots(store, tmp_path / "world")


@pytest.fixture
def keeper(store: Store, snapshots: Snapshots) -> Keeper:
    """One that takes a snapshot whenever it is asked to."""
    return Keeper(store, snapshots, 0)


def files(snapshots: Snapshots) -> list[Path]:
    """The files of the folder, the oldest first."""
    return sorted(snapshots.folder.iterdir())


def claim(keeper: Keeper, end: int, begin: int = 0) -> None:
    """Claim the store when Kafka holds the offsets from `begin` on."""
    keeper.claim("topic", {0: range(begin, end)})


@pytest.mark.parametrize("seed", range(40))
def test_a_restored_world_reads_on(store: Store, snapshots: Snapshots, keeper: Keeper, seed: int) -> None:
    """Whatever was pending when the snapshot was taken, the world is the same as without it, down to the boards."""
    play, random = Play(store, seed), Random(seed)
    for _ in range(random.randint(1, 80)):
        play.step()
    snapshots.take("topic")
    for _ in range(random.randint(0, 40)):
        play.step()
    play.end()
    live = everything(store)
    store.redis.flushall()
    claim(keeper, len(play.topic.values))
    play.topic.project()
    store.set_caught_up()
    assert stored(store) == summed(play.topic.events())
    assert everything(store) == live


def test_a_snapshot_reaches_beyond_the_topic(topic: Topic, snapshots: Snapshots, keeper: Keeper) -> None:
    """What is no longer in the topic is in the world; a key that was used stays used, and a claimed name claimed."""
    redis = topic.store.redis
    for number in range(300):
        topic.do("purchase_bow", f"p{number}", "key")
    topic.do("join_guild", "p1", guild="owls")
    topic.do("default", "guest")
    topic.project()
    redis.set(key("claim:p1"), "1700000000000", ex=1000)
    snapshots.take("topic")
    live, once = everything(topic.store), strings(redis, "once:")
    redis.flushall()
    claim(keeper, len(topic.values), begin=len(topic.values))
    assert topic.store.positions() == {0: len(topic.values)}
    assert everything(topic.store) == live
    assert strings(redis, "once:") == once
    assert all(redis.ttl(name) > 0 for name in once)
    assert redis.zrange(key("visitors"), 0, -1) == ["guest"]
    assert redis.get(key("claim:p1")) == "1700000000000"
    assert 0 < redis.ttl(key("claim:p1")) <= 1000


def strings(redis: Redis, prefix: str) -> dict[str, str]:
    return {str(name): str(redis.get(name)) for name in redis.scan_iter(key(f"{prefix}*"))}


@pytest.mark.parametrize(
    ("claimed_at", "holds"), [("1600000000000", "1600000000000"), ("1800000000000", "1700000000000")]
)
def test_the_earlier_claim_holds(
    topic: Topic, snapshots: Snapshots, keeper: Keeper, claimed_at: str, holds: str
) -> None:
    """A name that was claimed again after the store was lost goes back to the first one who claimed it."""
    topic.store.redis.set(key("claim:ada"), "1700000000000", ex=1000)
    snapshots.take("topic")
    topic.store.redis.flushall()
    topic.store.redis.set(key("claim:ada"), claimed_at, ex=1000)
    claim(keeper, 0)
    assert topic.store.redis.get(key("claim:ada")) == holds


def rewritten(file: Path, **changed: object) -> None:
    """Change the head of a snapshot, which stays whole."""
    head, *entries, end = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    text = orjson.dumps(orjson.loads(head) | changed) + b"\n" + b"".join(entries)
    end = orjson.dumps(orjson.loads(end) | {"sha256": sha256(text).hexdigest()}) + b"\n"
    file.write_bytes(gzip.compress(text + end))


def damage(file: Path, kind: str) -> None:
    whole = file.read_bytes()
    if kind == "cut":
        file.write_bytes(whole[:-20])
    elif kind == "a flipped bit":
        file.write_bytes(whole[:60] + bytes([whole[60] ^ 4]) + whole[61:])
    elif kind == "another amount":
        text = gzip.decompress(whole)
        file.write_bytes(gzip.compress(text.replace(b'"gold":"100"', b'"gold":"900"')))
    elif kind == "without the last lines":
        file.write_bytes(gzip.compress(b"".join(gzip.decompress(whole).splitlines(keepends=True)[:-2])))
    else:
        file.write_bytes({"empty": b"", "junk": b"junk", "no object": gzip.compress(b"[]\n[]\n")}[kind])


@pytest.mark.parametrize(
    "kind", ["cut", "a flipped bit", "another amount", "without the last lines", "empty", "junk", "no object"]
)
def test_a_damaged_snapshot_is_named_and_left(
    topic: Topic, snapshots: Snapshots, keeper: Keeper, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The one before it is used, and nothing of the damaged one."""
    topic.do("default", "ada")
    topic.project()
    snapshots.take("topic")
    topic.do("default", "bob")
    topic.project()
    snapshots.take("topic")
    damage(files(snapshots)[-1], kind)
    topic.store.redis.flushall()
    claim(keeper, 2)
    assert topic.store.positions() == {0: 1}
    assert topic.hero("ada")["gold"] == 100
    assert not topic.hero("bob")
    assert [record.message for record in caplog.records if files(snapshots)[-1].name in record.message]


@pytest.mark.parametrize(
    "changed", [{"topic": "another"}, {"format": 2}, {"layout": "gamelake:v1:"}, {"positions": {"0": 9}}]
)
def test_a_foreign_snapshot_is_named_and_left(
    topic: Topic,
    snapshots: Snapshots,
    keeper: Keeper,
    changed: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A snapshot of another topic, format or layout, or of offsets that the topic has not, is not restored."""
    topic.do("default", "ada")
    topic.project()
    snapshots.take("topic")
    [file] = files(snapshots)
    rewritten(file, **changed)
    topic.store.redis.flushall()
    claim(keeper, 1)
    assert topic.store.positions() == {}
    assert not everything(topic.store)
    [reason] = [record.message for record in caplog.records if file.name in record.message]
    assert f"{next(iter(changed))}: expected" in reason or ("positions" in changed and "gone back" in reason)


def test_the_number_of_snapshots_is_bounded(topic: Topic, snapshots: Snapshots) -> None:
    """Only the newest ones are kept, even if the clock goes back, and nothing of an attempt that failed."""
    future = snapshots.folder / "world-9000000000000.json.gz"
    snapshots.take("topic")
    files(snapshots)[0].rename(future)
    for number in range(KEPT + 2):
        topic.do("default", f"p{number}")
        topic.project()
        snapshots.take("topic")
    found = files(snapshots)
    assert len(found) == KEPT
    newest = snapshots.newest("topic", {0: 100})
    assert newest is not None
    assert newest.positions == {0: KEPT + 2}
    assert newest.file == found[-1]


def test_another_projection_is_noticed(topic: Topic, snapshots: Snapshots) -> None:
    """If events were projected while the snapshot was taken, it is discarded, and the one before stays."""
    snapshots.take("topic")
    before, save = files(snapshots), topic.store.save

    def disturbed() -> Iterator[list[str]]:
        yield from save()
        topic.begin_at(0, 99)

    topic.store.save = disturbed  # type: ignore[method-assign]
    with pytest.raises(SnapshotError, match="another projection"):
        snapshots.take("topic")
    assert files(snapshots) == before


def test_nothing_is_saved_of_a_store_that_has_lost_the_world(topic: Topic, snapshots: Snapshots) -> None:
    """An empty snapshot would take the place of the one that is needed now."""
    snapshots.take("topic")
    before = files(snapshots)
    topic.store.redis.flushall()
    with pytest.raises(SnapshotError, match="lost the world"):
        snapshots.take("topic")
    assert files(snapshots) == before


def test_a_snapshot_is_taken_when_it_is_due(topic: Topic, snapshots: Snapshots) -> None:
    """The first one is taken at once, the next one after the interval, whichever process took the last."""
    for seconds, number in ((900, 1), (900, 1), (0, 2)):
        Keeper(topic.store, snapshots, seconds).keep("topic")
        assert len(files(snapshots)) == number


def test_a_clock_that_went_back_costs_one_snapshot(topic: Topic, snapshots: Snapshots) -> None:
    """A file of the future does not keep the next snapshot from being taken, nor have all of them taken at once."""
    snapshots.take("topic")
    [file] = files(snapshots)
    future = file.rename(snapshots.folder / "world-9000000000000.json.gz")
    os.utime(future, (9e9, 9e9))
    for _ in range(3):
        Keeper(topic.store, snapshots, 900).keep("topic")
    assert len(files(snapshots)) == 2


def test_most_of_the_time_is_left_to_the_projection(topic: Topic, snapshots: Snapshots) -> None:
    """After a snapshot that took long, the next one waits ten times as long, whatever the interval."""
    keeper, save = Keeper(topic.store, snapshots, 0), topic.store.save

    def slow() -> Iterator[list[str]]:
        sleep(0.1)
        yield from save()

    topic.store.save = slow  # type: ignore[method-assign]
    keeper.keep("topic")
    keeper.keep("topic")
    assert len(files(snapshots)) == 1
    os.utime(files(snapshots)[0], (time() - 60, time() - 60))
    keeper.keep("topic")
    assert len(files(snapshots)) == 2


def test_a_folder_that_cannot_be_written_stops_nothing(
    topic: Topic, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is logged, once a minute."""
    (tmp_path / "world").write_text("not a folder")
    keeper = Keeper(topic.store, Snapshots(topic.store, tmp_path / "world"), 0)
    keeper.keep("topic")
    keeper.keep("topic")
    assert [record.message for record in caplog.records if "no snapshot was taken" in record.message] != []
    assert len(caplog.records) == 1


@pytest.mark.parametrize("begin", [0, 3])
def test_a_store_that_has_gone_back_behind_the_topic_is_replaced(
    topic: Topic, snapshots: Snapshots, keeper: Keeper, begin: int
) -> None:
    """An older copy of the store reads on from the topic if this holds what it lacks, and else from the snapshot."""
    topic.do("default", "ada")
    topic.project()
    for number in range(4):
        topic.do("purchase_bow", f"p{number}")
    topic.do("explore", "ada")
    topic.project()
    snapshots.take("topic")
    live = everything(topic.store)
    topic.begin_at(0, 1)
    topic.store.redis.hset(key("hero:ada"), "gold", 7)
    claim(keeper, 6, begin)
    if begin:
        assert topic.store.positions() == {0: 6}
        assert everything(topic.store) == live
    else:
        assert topic.store.positions() == {0: 1}
        assert topic.hero("ada")["gold"] == 7


def test_a_snapshot_older_than_the_topic_is_better_than_none(
    topic: Topic, snapshots: Snapshots, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """It is restored, and the log says that there is a gap."""
    topic.do("default", "ada")
    topic.project()
    snapshots.take("topic")
    topic.store.redis.flushall()
    claim(keeper, 9, begin=5)
    assert topic.hero("ada")["gold"] == 100
    assert f"{files(snapshots)[0]} is older than the records that Kafka still has" in caplog.text


@pytest.mark.parametrize(("offset", "is_replaced"), [(999_999, False), (1_000_001, True)])
def test_a_store_that_is_far_behind_is_replaced(
    topic: Topic, snapshots: Snapshots, keeper: Keeper, offset: int, is_replaced: bool
) -> None:
    """Where a snapshot spares reading more than a million events, it is faster."""
    topic.do("default", "ada")
    topic.project()
    topic.begin_at(0, offset)
    snapshots.take("topic")
    topic.begin_at(0, 1)
    claim(keeper, 1_500_000)
    assert topic.store.positions() == {0: offset if is_replaced else 1}
    assert topic.hero("ada")["gold"] == 100


def test_a_snapshot_behind_the_store_is_left(topic: Topic, snapshots: Snapshots, keeper: Keeper) -> None:
    """A store that knows more of one partition keeps its world, even if Kafka has dropped what it lacks of another."""
    topic.begin_at(1, 5)
    snapshots.take("topic")
    for number in range(4):
        topic.do("default", f"p{number}")
    topic.project(2)
    topic.begin_at(1, 1)
    keeper.claim("topic", {0: range(3, 4), 1: range(3, 6)})
    assert topic.store.positions() == {0: 2, 1: 1}
    assert topic.hero("p1")["gold"] == 100


def test_a_forgotten_player_is_in_no_snapshot(topic: Topic, snapshots: Snapshots, keeper: Keeper) -> None:
    """After a forgetting a new snapshot is taken, the earlier ones are deleted, and only then it is done."""
    for player in ("ada", "bob"):
        topic.do("declare_war", player, target="ada" if player == "bob" else "bob")
    topic.project()
    snapshots.take("topic")
    snapshots.take("topic")
    assert len(files(snapshots)) == 2
    number = topic.store.forget("ada")
    assert topic.store.forgettings() == (number, 0)
    Keeper(topic.store, snapshots, 900).keep("topic")
    assert topic.store.forgettings() == (number, number)
    [file] = files(snapshots)
    assert b"ada" not in gzip.decompress(file.read_bytes())
    topic.store.redis.flushall()
    claim(keeper, len(topic.values))
    assert not topic.hero("ada")
    assert topic.hero("bob")


def test_a_forgetting_is_not_done_before_the_snapshot(
    topic: Topic, snapshots: Snapshots, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """If the new snapshot cannot be taken, the next attempt follows at once."""
    topic.do("default", "ada")
    topic.project()
    keeper.keep("topic")
    number, save = topic.store.forget("ada"), topic.store.save

    def fails() -> Iterator[list[str]]:
        raise OSError("No space left on device")

    topic.store.save = fails  # type: ignore[method-assign]
    keeper.keep("topic")
    assert topic.store.forgettings() == (number, 0)
    assert "No space left" in caplog.text
    topic.store.save = save  # type: ignore[method-assign]
    keeper.keep("topic")
    assert topic.store.forgettings() == (number, number)
    assert len(files(snapshots)) == 1


def test_without_snapshots_a_forgetting_is_done_at_once(topic: Topic) -> None:
    """There is nothing that could bring the player back."""
    number = topic.store.forget("ada")
    Keeper(topic.store, None, 900).keep("topic")
    assert topic.store.forgettings() == (number, number)


def test_nobody_is_forgotten_while_the_world_is_rebuilt(store: Store) -> None:
    """What is read later would name the player again."""
    store.claim("topic")
    with pytest.raises(StoreLostError):
        store.forget("ada")


def test_two_projections_do_not_restore_at_once(
    topic: Topic, snapshots: Snapshots, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """While one makes the world, the other one changes nothing, and waits."""
    caplog.set_level(logging.INFO)
    for number in range(150):
        topic.do("default", f"p{number}")
    topic.project()
    live = everything(topic.store)
    snapshots.take("topic")
    topic.store.redis.flushall()
    restore, other = topic.store.restore, Store(topic.store.url)

    def disturbed(token: str, entries: list[bytes]) -> None:
        restore(token, entries)
        with pytest.raises(StoreBusyError):
            other.claim("topic")

    topic.store.restore = disturbed  # type: ignore[method-assign, assignment]
    claim(keeper, 150)
    assert everything(topic.store) == live
    assert not other.claim("topic")
    assert "was restored from" in caplog.text


def test_a_projection_that_died_while_it_made_the_world_blocks_none(
    topic: Topic, snapshots: Snapshots, keeper: Keeper
) -> None:
    """Nothing is decided in a half-made world; another projection begins it again after some seconds."""
    for number in range(150):
        topic.do("default", f"p{number}")
    topic.project()
    live = everything(topic.store)
    snapshots.take("topic")
    topic.store.redis.flushall()
    restore = topic.store.restore

    def dies(token: str, entries: list[bytes]) -> None:
        restore(token, entries)
        raise KeyboardInterrupt

    topic.store.restore = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        claim(keeper, 150)
    assert not topic.store.holds("topic")
    assert 0 < topic.store.redis.ttl(key("making")) <= 60
    topic.store.redis.delete(key("making"))
    topic.store.restore = restore  # type: ignore[method-assign]
    claim(keeper, 150)
    assert everything(topic.store) == live
