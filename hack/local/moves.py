"""What simulated players do, drawn from a seed."""

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

from game_api.actions import ACTIONS
from game_events import Field

_DOMAINS = ("comcast.com", "yahoo.com", "att.com")
_GUILDS = ("Round Table", "Night Watch", "Golden Horde", "Lone Wolves")

_AGAIN = 0.01
"""Share of the events that are sent again although acknowledged, as by a client that lost the answer."""


class Move(NamedTuple):
    """One event that a player wants on record. `path` has its parameters, `key` is the id that it asks for."""

    key: str
    player: str
    event_type: str
    path: str
    again: bool


def moves(seed: int, players: int, run: str) -> Iterator[Move]:
    """Draw one move after another, without end. The same seed draws the same; only the keys are each run's own."""
    random = Random(seed)
    names = [f"knight{number}.{random.choice(_DOMAINS)}" for number in range(1, players + 1)]
    for number in count(1):
        action = random.choice(ACTIONS)
        player = random.choice(names)
        # Every parameter may be left out, and at times is.
        given = {p.name: _value(p, random, names) for p in action.parameters if random.random() < 0.9}
        path = f"{action.path}?{urlencode(given)}" if given else action.path
        yield Move(f"{run}-{number}", player, action.event_type, path, random.random() < _AGAIN)


def _value(parameter: Field, random: Random, players: list[str]) -> str:
    return random.choice(_GUILDS if parameter.name == "guild" else players)
