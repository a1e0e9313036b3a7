"""The state of the world: what events add up to, computed here once more, and what a store holds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from game_events.effects import effects, facts
from game_events.names import normalised
from game_events.rules import START
from game_world.store import PREFIX, Store, key

from tests.attempts import counted

Attributes = dict[str, int | str]
World = dict[str, Attributes]


def summed(events: Iterable[Mapping[str, Any]]) -> World:
    """What the events of a topic add up to, heroes and guilds; each event counts once."""
    world: dict[str, Attributes] = defaultdict(dict)
    since: dict[tuple[str, str], str] = {}
    for event in counted(map(normalised, events)):
        world.setdefault(f"hero:{event['player']}", dict(START))
        for effect in effects(event):
            start = START if effect.owner == "hero" else {}
            has = world.setdefault(f"{effect.owner}:{effect.name}", dict(start))
            has[effect.attribute] = int(has.get(effect.attribute, 0)) + effect.amount
        for fact in facts(event):
            field = f"{fact.name}:{fact.target}" if fact.target else fact.name
            if since.get((fact.player, field), "") < fact.stamp:
                since[fact.player, field] = fact.stamp
                world.setdefault(f"hero:{fact.player}", dict(START))[field] = fact.value
    return _without_zeros(world)


def stored(store: Store) -> World:
    """What the store holds of the same."""
    world: World = {}
    for kind in ("hero", "guild"):
        for found in store.redis.scan_iter(key(f"{kind}:*")):
            attributes = store.redis.hgetall(found).items()
            shown = {name: _typed(name, value) for name, value in attributes if name != "name" and name[0] != "@"}
            if shown:
                world[str(found).removeprefix(PREFIX)] = shown
    return _without_zeros(world)


def _typed(name: str, value: str) -> int | str:
    return value if name == "guild" or name.startswith("tie:") else int(value)


def _without_zeros(world: Mapping[str, Attributes]) -> World:
    """Leave out what is as if it were not set, and guilds with nothing else: a gift to them was reverted."""
    left = {
        name: {attribute: value for attribute, value in attributes.items() if value not in (0, "")}
        for name, attributes in world.items()
    }
    return {name: attributes for name, attributes in left.items() if attributes or name.startswith("hero:")}
