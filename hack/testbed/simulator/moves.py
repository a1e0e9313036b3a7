"""Moves of simulated players, drawn from a seed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import NamedTuple

from game_events import EVENT_TYPES, EventType, Field
from game_events.experiments import EXPERIMENTS

from testbed.simulator.characters import AMONG_FRIENDS, CHARACTERS, GUILDS, ITEMS, Character

_DOMAINS = ("comcast.com", "yahoo.com", "att.com")

_AGAIN = 0.01
"""Share of the events that are sent again although acknowledged, like a client that lost the answer does."""

_OF_ONES_OWN = 0.5
"""Share of the later foundings that are of the player's own guild. The others found the cast's again, if it is gone."""


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


class _Turn(NamedTuple):
    player: _Player
    event_type: EventType
    guild: str
    """What the player founds or joins, if that is the turn."""


def moves(seed: int, players: int, run: str) -> Iterator[Move]:
    """Draw moves endlessly. The same seed draws the same moves; only the keys differ between runs.

    They begin with the founding of every guild, and each player's joining one.
    """
    random = Random(seed)
    cast = [_player(number, random) for number in range(1, players + 1)]
    openings = _openings(cast)
    for number in count(1):
        turn = next(openings, None) or _turn(random, cast)
        given = _parameters(random, turn, cast)
        yield Move(f"{run}-{number}", turn.player.name, turn.event_type.name, given, random.random() < _AGAIN)


def _player(number: int, random: Random) -> _Player:
    name = f"knight{number}.{random.choice(_DOMAINS)}"
    return _Player(name, CHARACTERS[number % len(CHARACTERS)], GUILDS[number // len(CHARACTERS) % len(GUILDS)])


def _openings(cast: Sequence[_Player]) -> Iterator[_Turn]:
    founders = {player.guild: player for player in reversed(cast)}
    for founder in founders.values():
        yield _Turn(founder, EVENT_TYPES["found_guild"], founder.guild)
    # Founders join as well, because the guild may be that of an earlier run.
    for player in cast:
        yield _Turn(player, EVENT_TYPES["join_guild"], player.guild)


def _turn(random: Random, cast: Sequence[_Player]) -> _Turn:
    player = random.choice(cast)
    likes = player.character.likes
    event_type = EVENT_TYPES[random.choices(list(likes), list(likes.values()))[0]]
    guild = player.guild
    if event_type.name == "found_guild" and random.random() < _OF_ONES_OWN:
        guild = f"{random.choice(GUILDS)} of {player.name}"
    return _Turn(player, event_type, guild)


def _parameters(random: Random, turn: _Turn, cast: Sequence[_Player]) -> dict[str, str | int]:
    if turn.event_type.name == "see_experiment":
        experiment = random.choice([*EXPERIMENTS.values()])
        return {"experiment": experiment.name, "variant": experiment.variant_of(turn.player.name)}
    # Optional parameters are left out now and then.
    return {
        p.name: _value(p, random, turn, cast) for p in turn.event_type.parameters if p.required or random.random() < 0.9
    }


def _value(parameter: Field, random: Random, turn: _Turn, cast: Sequence[_Player]) -> str | int:
    match parameter.name:
        case "guild":
            return turn.guild
        case "item":
            return random.choice(ITEMS)
        case "amount":
            return random.randint(1, 20)
        case _:
            return _target(random, turn.player, cast, friendly=turn.event_type.name in AMONG_FRIENDS)


def _target(random: Random, player: _Player, cast: Sequence[_Player], friendly: bool) -> str:
    rivals = GUILDS[(GUILDS.index(player.guild) ^ 1) % len(GUILDS)]
    guild = player.guild if friendly else rivals
    others = [one.name for one in cast if one.guild == guild and one is not player]
    return random.choice(others or [one.name for one in cast if one is not player] or [player.name])
