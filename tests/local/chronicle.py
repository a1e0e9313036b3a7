"""The world as the topic tells it, and as the store has it: a test holds the one against the other."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from game_events.effects import effects, facts
from game_events.names import normalised
from game_events.rules import START
from game_world.store import PREFIX, Store
from testbed.settings import Settings
from testbed.waiting import wait_until

from tests.attempts import counted
from tests.local.game import Game

Attributes = dict[str, int | str]
World = dict[str, Attributes]


class Chronicle:
    def __init__(self, game: Game, settings: Settings) -> None:
        self._game = game
        self.store = Store(settings.store_url)

    def await_calm(self) -> None:
        """Wait until the world has read the topic, and nothing is pending."""
        wait_until("the world to be up with the topic", self._is_calm, 60)

    def _is_calm(self) -> bool:
        ends = {partition: end for partition, end in self._game.ends().items() if end}
        positions = {partition: end for partition, end in self.store.positions().items() if end}
        return positions == ends and not list(self.store.pending())

    def told(self) -> World:
        """What the topic's events add up to, heroes and guilds; each event once."""
        world: dict[str, Attributes] = defaultdict(dict)
        since: dict[tuple[str, str], str] = {}
        for event in counted(map(normalised, self._game.events())):
            world.setdefault(f"hero:{event['player']}", dict(START))
            for owner, name, attribute, amount in effects(event):
                start = START if owner == "hero" else {}
                has = world.setdefault(f"{owner}:{name}", dict(start))
                has[attribute] = int(has.get(attribute, 0)) + amount
            for player, name, target, value, stamp in facts(event):
                field = f"{name}:{target}" if target else name
                if since.get((player, field), "") < stamp:
                    since[player, field] = stamp
                    world.setdefault(f"hero:{player}", dict(START))[field] = value
        return {name: _nonzero(attributes) for name, attributes in world.items()}

    def kept(self) -> World:
        """What the store has of the same."""
        world = {}
        for kind in ("hero", "guild"):
            for key in self.store.redis.scan_iter(f"{PREFIX}{kind}:*"):
                attributes = self.store.redis.hgetall(key).items()
                shown = {name: _typed(name, value) for name, value in attributes if name != "name" and name[0] != "@"}
                if shown:
                    world[str(key).removeprefix(PREFIX)] = _nonzero(shown)
        return world


def _typed(name: str, value: str) -> int | str:
    return value if name == "guild" or name.startswith("tie:") else int(value)


def _nonzero(attributes: Mapping[str, Any]) -> Attributes:
    return {name: value for name, value in attributes.items() if value not in (0, "")}
