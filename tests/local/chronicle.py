"""The world that the topic's events add up to, and the one that the store holds: tests compare the two."""

from game_world.store import Store
from testbed.waiting import wait_until

from tests.local.game import Game
from tests.world_state import World, stored, summed


class Chronicle:
    def __init__(self, game: Game) -> None:
        self._game = game
        self.store = Store(game.settings.store_url)

    def await_calm(self) -> None:
        """Wait until the projection has read the topic, and nothing is pending."""
        wait_until("the world to be up with the topic", self._is_calm)

    def _is_calm(self) -> bool:
        ends = {partition: end for partition, end in self._game.ends().items() if end}
        positions = {partition: end for partition, end in self.store.positions().items() if end}
        return positions == ends and not list(self.store.pending())

    def summed(self) -> World:
        """The world that the topic's events add up to."""
        return summed(self._game.events())

    def stored(self) -> World:
        """The world that the store holds."""
        return stored(self.store)
