"""The test double, and a service with a real Valkey to compare it with."""

from tests.unit.game_world.conftest import server, store

__all__ = ["server", "store"]
