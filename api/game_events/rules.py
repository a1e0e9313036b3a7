"""Rules: the preconditions of an action, and what it changes. Plain data, which the world checks and applies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isqrt
from typing import Any

from game_events.chance import Number, Pick


class Who(StrEnum):
    """Whose attribute it is. The guild is the one that the event names, else the player's own."""

    PLAYER = "player"
    TARGET = "target"
    GUILD = "guild"


START = {"gold": 100, "health": 100, "experience": 0, "power": 0}
"""What a player has before the first event."""

MOST_HEALTH = 100

LEVEL_EXPERIENCE = 100
"""The experience at which a player reaches the second level; the third takes four times as much, then nine, …"""


def level(experience: int) -> int:
    return 1 + isqrt(max(0, experience) // LEVEL_EXPERIENCE)


@dataclass(frozen=True)
class Share:
    """A share of the attribute in percent, negative for a loss."""

    percent: int

    def __str__(self) -> str:
        return f"{self.percent} %"


@dataclass(frozen=True)
class Given:
    """The value of a parameter; with `sign` -1 it is paid."""

    parameter: str
    sign: int = 1

    def __str__(self) -> str:
        return f"{'-' if self.sign < 0 else ''}{self.parameter}"


@dataclass(frozen=True)
class Taken:
    """The amount that the change before this one took."""

    def __str__(self) -> str:
        return "what was taken"


Amount = int | Number | Share | Given | Taken


@dataclass(frozen=True)
class Change:
    """`attribute` grows by `amount`, but not below 0, nor health above MOST_HEALTH. The event says by how much."""

    who: Who
    attribute: str
    amount: Amount

    @property
    def field(self) -> str:
        """The event's field: `gold`, `target_health`, `guild_gold`."""
        return self.attribute if self.who is Who.PLAYER else f"{self.who}_{self.attribute}"


class Kind(StrEnum):
    """What a precondition requires."""

    AT_LEAST = "at least"
    """At least so much of an attribute."""
    KNOWN = "known"
    """A player who has acted before."""
    IN_GUILD = "in guild"
    NO_GUILD = "no guild"
    SAME_GUILD = "same guild"
    """The target is in the player's guild."""
    NEW_GUILD = "new guild"
    """A guild without members."""
    ALLIED = "allied"
    """The player has allied with the target."""


@dataclass(frozen=True)
class Precondition:
    """A precondition: unless it is met, the action is refused.

    In `problem`, which says why, `{have}`, `{least}` and parameters are filled in.
    """

    kind: Kind
    problem: str
    who: Who = Who.PLAYER
    attribute: str = ""
    least: int | str = 0
    """A number, or the name of the parameter that holds it."""

    def least_of(self, event: Mapping[str, Any]) -> int:
        """Return the least that an event with these parameters requires."""
        return int(event[self.least]) if isinstance(self.least, str) else self.least


@dataclass(frozen=True)
class Result:
    """What an action results in. `items` are gained or, if negative, used up; `{item}` is the parameter.

    `loot` is a random item.
    """

    answer: str
    changes: tuple[Change, ...] = ()
    items: Mapping[str, int] = field(default_factory=dict)
    loot: Pick | None = None
    gift: str = ""
    """The item that the target gains."""


@dataclass(frozen=True)
class Contest:
    """Two throws: the player wins with at least as much. Levels are added if the opponent is a player, too."""

    mine: Number
    theirs: Number
    lost: Result
    against_player: bool = False


def gain(attribute: str, amount: Amount) -> Change:
    return Change(Who.PLAYER, attribute, amount)


def hit(attribute: str, amount: Amount) -> Change:
    """Return a change of the target's attribute."""
    return Change(Who.TARGET, attribute, amount)


def has(attribute: str, least: int | str, problem: str, who: Who = Who.PLAYER) -> Precondition:
    return Precondition(Kind.AT_LEAST, problem, who, attribute, least)


def costs(gold: int, what: str) -> Precondition:
    return has("gold", gold, f"You have {{have}} gold, and {what} costs {{least}}")


ALIVE = has("health", 1, "You are dead: pray first")
TARGET_KNOWN = Precondition(Kind.KNOWN, "Nobody has heard of {target}", Who.TARGET)
TARGET_ALIVE = has("health", 1, "{target} is dead", Who.TARGET)
IN_GUILD = Precondition(Kind.IN_GUILD, "You are in no guild")
NO_GUILD = Precondition(Kind.NO_GUILD, "You are in a guild already: leave it first")
OPPONENT = (ALIVE, TARGET_KNOWN, TARGET_ALIVE)
