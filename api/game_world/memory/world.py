"""A world that is kept in memory and follows the events by itself, without a store and a projection."""

from collections.abc import Callable, Mapping
from typing import Any

from game_events.rules import STAMINA_SECONDS

from game_world.limits import Limit
from game_world.memory.calls import MemoryCalls
from game_world.memory.state import State
from game_world.memory.views import MemoryViews
from game_world.store import Store
from game_world.world import World


class MemoryWorld(World):
    """`delay` returns for how many seconds the next request is refused, as one above the limits is; 0: it is not."""

    def __init__(
        self,
        per_player: Limit,
        per_address: Limit,
        stamina_seconds: int = STAMINA_SECONDS,
        delay: Callable[[], float] = lambda: 0.0,
    ) -> None:
        # Nothing opens this store: calls and views are answered from memory.
        super().__init__(Store("redis://127.0.0.1:1"), per_player, per_address)
        self._stamina_seconds = stamina_seconds
        self._delay = delay
        self.reset()

    def reset(self) -> None:
        """Begin a new world, in which nothing has happened."""
        state = State(self._stamina_seconds)
        self._calls = self._memory = MemoryCalls(state, self._delay)
        self.views = self._feed = MemoryViews(state)

    def project(self, offset: int, value: bytes, event: Mapping[str, Any]) -> None:
        """Apply a record that was written."""
        self._memory.project(value)
        self._feed.add(offset, event)
