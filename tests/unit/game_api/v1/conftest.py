"""Version 1 of the API with a world, in a real Valkey."""

from collections.abc import Callable
from random import Random

import pytest
from game_api import create_app
from game_world.limits import Limit
from game_world.store import Store
from game_world.world import World
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog
from tests.unit.game_world.conftest import server, store
from tests.unit.game_world.topic import NO_LIMIT, Topic

__all__ = ["game", "log", "server", "store"]

Start = Callable[..., Client]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def game(store: Store, log: MemoryLog) -> Start:
    """Start an API with a world that has no players yet, and these limits."""

    def start(player: Limit = NO_LIMIT, address: Limit = NO_LIMIT) -> Client:
        Topic(store)
        return client_for(create_app(log, World(store, player, address), random=Random(7)))

    return start
