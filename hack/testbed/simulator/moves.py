"""Moves of simulated players, drawn from a seed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import NamedTuple

from game_events import EVENT_TYPES, EventType, Field

from testbed.simulator.characters import AMONG_FRIENDS, CHARACTERS, GUILDS, ITEMS, Character

_DOMAINS = ("comcast.com", "yahoo.com", "att.com")

_AGAIN = 0.01
"""Share of the events that are sent again although acknowledged, like a client that lost the answer does."""


class Move(NamedTuple):
    """One event for a player to send; `key` is its Idempotency-Key."""

    key: str
    player: str
    event_type: str
    parameters: Mapping[str, str | int]
    again: bool


class _Player(NamedTuple):
    name: str
    character: Character
    guild: str


def moves(seed: int, players: int, run: str) -> Iterator[Move]:
    """Draw moves endlessly. The same seed draws the same moves; only the keys differ between runs."""
    random = Random(seed)
    cast = [_player(number, random) for number in range(1, players + 1)]
    openings = [(player, EVENT_TYPES["join_guild"]) for player in cast]
    for number in count(1):
        player, event_type = openings.pop() if openings else _turn(random, cast)
        # Optional parameters are left out now and then.
        given = {
            p.name: _value(p, random, player, event_type, cast)
            for p in event_type.parameters
            if p.required or random.random() < 0.9
        }
        yield Move(f"{run}-{number}", player.name, event_type.name, given, random.random() < _AGAIN)


def _player(number: int, random: Random) -> _Player:
    name = f"knight{number}.{random.choice(_DOMAINS)}"
    return _Player(name, CHARACTERS[number % len(CHARACTERS)], GUILDS[number // len(CHARACTERS) % len(GUILDS)])


def _turn(random: Random, cast: Sequence[_Player]) -> tuple[_Player, EventType]:
    player = random.choice(cast)
    likes = player.character.likes
    return player, EVENT_TYPES[random.choices(list(likes), list(likes.values()))[0]]


def _value(
    parameter: Field, random: Random, player: _Player, event_type: EventType, cast: Sequence[_Player]
) -> str | int:
    match parameter.name:
        case "guild":
            return player.guild if event_type.name == "join_guild" else f"{random.choice(GUILDS)} of {player.name}"
        case "item":
            return random.choice(ITEMS)
        case "amount":
            return random.randint(1, 20)
        case _:
            return _target(random, player, cast, friendly=event_type.name in AMONG_FRIENDS)


def _target(random: Random, player: _Player, cast: Sequence[_Player], friendly: bool) -> str:
    rivals = GUILDS[(GUILDS.index(player.guild) ^ 1) % len(GUILDS)]
    guild = player.guild if friendly else rivals
    others = [one.name for one in cast if one.guild == guild and one is not player]
    return random.choice(others or [one.name for one in cast if one is not player] or [player.name])
