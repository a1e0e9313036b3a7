"""The store of the world: it must be empty or hold a world, and keys of others are never touched."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import time

import pytest
import requests
from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient
from game_world.capacity import HIGH
from game_world.limits import Bucket, Limit
from game_world.store import MOST_TIES, Store, key
from game_world.world import World
from redis.exceptions import RedisError
from testbed.waiting import wait_until

from tests.local.game import UNHURRIED, Game
from tests.unit.game_api.client import run


@pytest.fixture(scope="module", autouse=True)
def ada(game: Game) -> None:
    """A player of the world whose experience is 8."""
    assert explores(game, "ada") == 200


@pytest.fixture
def store(game: Game) -> Iterator[Store]:
    """Another, empty database of the same server."""
    store = Store(url(game))
    yield store
    store.redis.config_set("maxmemory-policy", "noeviction")
    store.redis.flushdb()


def url(game: Game) -> str:
    return f"{game.settings.store_url}/1"


def topic_id(game: Game) -> str:
    admin, topic = AdminClient({"bootstrap.servers": game.settings.bootstrap_servers}), game.settings.topic
    return str(admin.describe_topics(TopicCollection([topic]))[topic].result(60).topic_id)


@contextmanager
def another_world(game: Game, snapshots: Path | None = None) -> Iterator["subprocess.Popen[str]"]:
    """Run the world on the other database."""
    environment = {**os.environ, **game.world.program.environment, "WORLD_URL": url(game)}
    environment |= {"WORLD_SNAPSHOTS": str(snapshots or ""), "WORLD_SNAPSHOT_SECONDS": "1"}
    with subprocess.Popen(
        game.world.program.command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def refusal(game: Game) -> str:
    """The error for which the world refuses the store."""
    with another_world(game) as process:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 2, errors
    return errors


def keeps_ada(store: Store) -> bool:
    return store.is_caught_up() and store.redis.hget(key("hero:ada"), "experience") == "8"


def test_a_store_with_keys_of_others_is_left_alone(game: Game, store: Store) -> None:
    """The world ends with an error that names such a key and the remedy, and changes nothing."""
    store.redis.mset({"cart:7": "a lamp", b"\xff\x00": "bytes"})
    error = refusal(game)
    assert "WORLD_URL" in error
    assert "'cart:7'" in error
    assert "redis://HOST:PORT/1" in error
    assert store.redis.dbsize() == 2


def test_an_empty_store_gets_the_world(game: Game, store: Store) -> None:
    """The world begins in an empty store or one with remains of a world; keys that others add later stay."""
    store.decide({"limits": [Bucket("limit:player:ada", 10**6, 5)]})
    with another_world(game):
        wait_until("the world", lambda: keeps_ada(store))
    store.redis.set("cart:7", "a lamp")
    with another_world(game) as process:
        wait_until("it to go on", lambda: keeps_ada(store))
        assert process.poll() is None
    assert store.redis.get("cart:7") == "a lamp"


def test_a_lost_store_is_restored(game: Game, store: Store, tmp_path: Path) -> None:
    """The world saves itself, and an empty store gets it back, whatever is damaged beside it; then it reads on."""
    with another_world(game, tmp_path):
        wait_until("a snapshot", lambda: [*tmp_path.glob("world-*.json.gz")])
    assert keeps_ada(store)
    junk = tmp_path / "world-9000000000000.json.gz"
    junk.write_bytes(b"junk")
    store.redis.flushdb()
    with another_world(game, tmp_path) as process:
        wait_until("the world", lambda: keeps_ada(store))
        process.terminate()
        _, log = process.communicate(timeout=240)
    assert f"{junk}: it is damaged" in log
    assert "the world was restored from" in log


def test_a_new_topic_has_a_new_world(game: Game, store: Store) -> None:
    """The keys of another topic's world are removed, and no others."""
    store.claim("another")
    store.begin_at("another", 0, None, 10**6)
    world = World(store, Limit(0, 0), Limit(0, 0))
    run(world.decide({"event_type": "default", "event_id": "x", "player": "bob", "received_at": 0}, "", Random()))
    assert store.redis.exists(key("hero:bob"))
    store.redis.mset({f"cart:{number}": number for number in range(3000)})
    with another_world(game):
        wait_until("the world", lambda: keeps_ada(store))
    assert store.redis.get(key("topic")) == topic_id(game)
    assert not store.redis.exists(key("hero:bob"))
    assert len(list(store.redis.scan_iter("cart:*", 1000))) == 3000


def test_a_world_without_the_prefix_is_built_again(game: Game, store: Store) -> None:
    """The keys of this topic's world in the first layout are removed, and no others."""
    store.redis.set("topic", topic_id(game))
    store.redis.hset("hero:ada", "gold", 1)
    store.redis.hset("pending", "x", "{}")
    store.redis.hset("positions", "0", 10**6)
    store.redis.set("once:0", 1)
    store.redis.set("cart:7", "a lamp")
    with another_world(game):
        wait_until("the world", lambda: keeps_ada(store))
    assert [name for name in store.redis.scan_iter("*", 1000) if not name.startswith(key(""))] == ["cart:7"]


def test_a_world_of_an_earlier_layout_is_built_again(game: Game, store: Store) -> None:
    """The keys of the world in the layout before this one are removed, even beside keys of others."""
    store.redis.mset({"gamelake:topic": topic_id(game), "gamelake:caught_up": 1, "cart:7": "a lamp"})
    store.redis.hset("gamelake:pending", "x", "{}")
    store.redis.hset("gamelake:positions", "0", 10**6)
    with another_world(game):
        wait_until("the world", lambda: keeps_ada(store))
    assert [name for name in store.redis.scan_iter("*", 1000) if not name.startswith(key(""))] == ["cart:7"]


def test_another_topics_world_without_the_prefix_is_left_alone(game: Game, store: Store) -> None:
    """Such keys may belong to somebody else."""
    store.redis.set("topic", "another")
    assert "'topic'" in refusal(game)
    assert store.redis.get("topic") == "another"


def test_a_store_that_may_drop_keys_is_refused(game: Game, store: Store) -> None:
    """The error names the setting and its value. Decisions stop, also those of a world that was running."""
    store.claim(topic_id(game))
    store.begin_at(topic_id(game), 0, None, 0)
    store.set_caught_up()
    store.redis.config_set("maxmemory-policy", "volatile-lru")
    assert "maxmemory-policy of the store: expected noeviction, got volatile-lru" in refusal(game)
    assert not store.is_caught_up()
    wait_until("the running world to end", lambda: not game.world.alive)
    assert explores(game, "ada") == 503
    store.redis.config_set("maxmemory-policy", "noeviction")
    game.world.start()
    wait_until("the world", lambda: explores(game, "ada") == 200)


def bulk(game: Game, items: list[dict[str, object]], **headers: str) -> int:
    return requests.post(
        f"{game.url}/events", json=items, headers={"X-Player": "eve", **headers}, timeout=60
    ).status_code


def explores(game: Game, player: str) -> int:
    return game.ask("/explore", "POST", headers={"X-Player": player}).status


def test_a_full_world_takes_nobody_new(game: Game) -> None:
    """While the store is full, new players get a 503 that says so; known players go on."""
    store = Store(game.settings.store_url)
    headers = {"X-Player": "ada", "Idempotency-Key": "an old key"}
    assert game.ask("/explore", "POST", headers=headers).status == 200
    wait_until("the key", lambda: list(store.redis.scan_iter(key("once:*"))))
    [old] = store.redis.scan_iter(key("once:*"))
    store.redis.expire(old, 3600)
    headers["Idempotency-Key"] = "a new key"
    assert game.ask("/explore", "POST", headers=headers).status == 200
    wait_until("the other key", lambda: len(list(store.redis.scan_iter(key("once:*")))) == 2)
    try:
        for number in range(32):
            store.redis.set(f"filler:{number}", "x" * (1 << 20))
        store.redis.config_set("maxmemory", int(store.memory_bytes()[0] / 0.95))
        wait_until("the world to be full", lambda: store.redis.exists(key("full")))
        refused = game.ask("/explore", "POST", headers={"X-Player": "newcomer"})
        assert (refused.status, refused.headers["Event-Outcome"]) == (503, "refused")
        assert refused.json["error"] == "the world is full: it takes no new players for now"
        assert game.ask("/", headers={"X-Player": "newcomer"}).status == 200
        assert explores(game, "ada") == 200
        # Cached responses were dropped, and keys whose day is nearly over.
        again = game.ask("/explore", "POST", headers=headers)
        assert (again.status, again.json["field"]) == (409, "Idempotency-Key")
        assert not store.redis.exists(old)
        store.redis.config_set("maxmemory", 1 << 20)
        assert game.ask("/purchase_a_sword", headers={"X-Player": "ada"}).status == 200
        wait_until(
            "the sword, though there is no memory", lambda: store.redis.hget(key("hero:ada"), "item:sword") == "1"
        )
    finally:
        store.redis.config_set("maxmemory", 0)
        store.redis.unlink(*store.redis.scan_iter("filler:*"))
    wait_until("memory", lambda: not store.redis.exists(key("full")))
    assert explores(game, "newcomer") == 200


def has_read_all(store: Store, game: Game) -> bool:
    try:
        return sum(store.positions().values()) == sum(game.ends().values())
    except RedisError:
        # The store is busy.
        return False


def test_invented_names_do_not_fill_the_world(game: Game) -> None:
    """After far more names than the store has memory for, players play, the projection runs, and limits hold."""
    store = Store(game.settings.store_url)
    # Other tests' players and keys stay in the store.
    room = 24 << 20
    store.redis.config_set("maxmemory", int((store.memory_bytes()[0] + room) / HIGH))
    pid = game.world.pid
    none = UNHURRIED | dict.fromkeys(("API_PLAYER_RATE", "API_ADDRESS_RATE"), "0")
    try:
        with game.another_api(**none), ThreadPoolExecutor(4) as pool:
            bulks = (
                [{"event_type": "default", "player": f"{n}-{m}-".ljust(200, "x")} for m in range(1000)]
                for n in range(250)
            )
            statuses = Counter(pool.map(lambda items: bulk(game, items), bulks))
            assert statuses[200] > 240, statuses
            wait_until("the world to have read them", lambda: has_read_all(store, game), 900)
            assert game.world.pid == pid
            wait_until("memory", lambda: store.memory() < 0.9)
            assert explores(game, "ada") == 200
            assert store.redis.zcard(key("visitors")) > 0
        with game.another_api(API_PLAYER_RATE="1", API_PLAYER_BURST="5"):
            answers = game.ask_at_once("/", 20, headers={"X-Player": "eve"})
            assert {answer.status for answer in answers} == {200, 429}
    finally:
        store.redis.config_set("maxmemory", 0)


def test_ties_are_bounded(game: Game) -> None:
    """Only the latest ties hold, and only those to players are shown: a declaration to nobody is just an event."""
    store = Store(game.settings.store_url)
    targets = [f"target {number}" for number in range(2 * MOST_TIES)]
    assert bulk(game, [{"event_type": "default", "player": target} for target in targets[MOST_TIES:-1]]) == 200
    wars = [{"event_type": "declare_war", "player": "warlord", "target": target} for target in targets]
    for war in wars:
        assert bulk(game, [war]) == 200
    wait_until("the last", lambda: store.redis.hexists(key("hero:warlord"), f"tie:{targets[-1]}"))
    assert store.redis.zcard(key("tied:warlord")) == MOST_TIES
    hero = game.ask("/heroes/warlord").json
    assert list(hero["ties"]) == sorted(targets[MOST_TIES:-1])


def test_a_visitor_of_long_ago_is_forgotten(game: Game) -> None:
    """A player whose actions had no precondition is forgotten a day later; one with a decision stays."""
    store = Store(game.settings.store_url)
    yesterday = int(time() - 25 * 3600) * 1000
    assert explores(game, "native") == 200
    for player in ("native", "guest"):
        event = {"event_id": player, "player": player, "received_at": yesterday}
        game.write(
            event | {"event_type": "purchase_sword", "strength": 1},
            event | {"event_type": "join_guild", "guild": "knights"},
            event | {"event_type": "declare_war", "target": "ada"},
        )
    wait_until("the end of the visit", lambda: store.redis.smembers(key("members:knights")) == {"native"})
    wait_until("it to be forgotten", lambda: not store.redis.exists(key("hero:guest"), key("tied:guest")))
    assert store.redis.smembers(key("members:knights")) == {"native"}
    assert not game.ask("/heroes/guest").json["known"]
    assert game.ask("/heroes/native").json["items"]["sword"] == 1
    assert not any("guest" in war.values() for war in game.ask("/world").json["wars"])
