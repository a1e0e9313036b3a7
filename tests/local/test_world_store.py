"""The store that the world is given: it takes an empty one or its own, and touches no key of others."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient
from game_world.store import Store, key
from local.process import wait_until

from tests.local.game import Game, running_game


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with running_game(tmp_path_factory.mktemp("store")) as game:
        assert game.ask("/explore", "POST", headers={"X-Player": "ada"}).status == 200
        yield game


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
    return str(admin.describe_topics(TopicCollection([topic]))[topic].result(10).topic_id)


@contextmanager
def another_world(game: Game) -> Iterator["subprocess.Popen[str]"]:
    """Run the world on the other database."""
    environment = {**os.environ, **game.world.program.environment, "WORLD_URL": url(game)}
    with subprocess.Popen(
        game.world.program.command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def refusal(game: Game) -> str:
    """What the world says of the store, ending for it."""
    with another_world(game) as process:
        _, said = process.communicate(timeout=30)
        assert process.returncode == 2, said
    return said


def keeps_ada(store: Store) -> bool:
    return store.is_caught_up() and store.redis.hget(key("hero:ada"), "experience") == "8"


def test_a_store_with_keys_of_others_is_left_alone(game: Game, store: Store) -> None:
    """The world ends, says what is there and what to do, and changes nothing."""
    store.redis.mset({"cart:7": "a lamp", b"\xff\x00": "bytes"})
    said = refusal(game)
    assert "WORLD_URL" in said
    assert "'cart:7'" in said
    assert "redis://HOST:PORT/1" in said
    assert store.redis.dbsize() == 2


def test_an_empty_store_gets_the_world(game: Game, store: Store) -> None:
    """Where nothing is, or what was left of a world, the world begins; what others put beside it later stays."""
    store.redis.set(key("limit:player:ada"), 1)
    with another_world(game):
        wait_until("the world", lambda: keeps_ada(store), 30)
    store.redis.set("cart:7", "a lamp")
    with another_world(game) as process:
        wait_until("it to go on", lambda: keeps_ada(store), 30)
        assert process.poll() is None
    assert store.redis.get("cart:7") == "a lamp"


def test_a_new_topic_has_a_new_world(game: Game, store: Store) -> None:
    """Of the world of another topic its own keys go, and no others."""
    store.redis.set(key("topic"), "another")
    store.redis.hset(key("hero:bob"), "gold", 100)
    store.redis.hset(key("positions"), "0", 10**6)
    store.redis.mset({f"cart:{number}": number for number in range(3000)})
    with another_world(game):
        wait_until("the world", lambda: keeps_ada(store), 30)
    assert store.redis.get(key("topic")) == topic_id(game)
    assert not store.redis.exists(key("hero:bob"))
    assert len(list(store.redis.scan_iter("cart:*", 1000))) == 3000


def test_a_world_without_the_prefix_is_built_again(game: Game, store: Store) -> None:
    """The keys of this topic's world as an earlier release named them go, and no others."""
    store.redis.set("topic", topic_id(game))
    store.redis.hset("hero:ada", "gold", 1)
    store.redis.hset("pending", "x", "{}")
    store.redis.hset("positions", "0", 10**6)
    store.redis.set("once:0", 1)
    store.redis.set("cart:7", "a lamp")
    with another_world(game):
        wait_until("the world", lambda: keeps_ada(store), 30)
    assert [name for name in store.redis.scan_iter("*", 1000) if not name.startswith(key(""))] == ["cart:7"]


def test_another_topics_world_without_the_prefix_is_left_alone(game: Game, store: Store) -> None:
    """Whose it is cannot be known."""
    store.redis.set("topic", "another")
    assert "'topic'" in refusal(game)
    assert store.redis.get("topic") == "another"


def test_a_store_that_may_drop_keys_is_refused(game: Game, store: Store) -> None:
    """The message names the setting and its value; what the store has decides nothing any more."""
    store.redis.config_set("maxmemory-policy", "volatile-lru")
    store.redis.mset({key("topic"): topic_id(game), key("caught_up"): 1})
    said = refusal(game)
    assert "maxmemory-policy of the store: expected noeviction, got volatile-lru" in said
    assert not store.is_caught_up()
