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


STAMINA = "stamina"

MOST_STAMINA = 100
"""What a rested player has. Stamina is the store's, like a rate limit: no event tells it."""

STAMINA_SECONDS = 6
"""Seconds in which a player gets one stamina back, unless WORLD_STAMINA_SECONDS says otherwise."""

MOST_GOLD_PER_STAMINA = 30
"""No action brings more gold into the world for one stamina, items counted at the trader's prices."""

MOST_EXPERIENCE_PER_STAMINA = 6
"""No action gives more experience for one stamina, that of both sides together."""

PRICES = {
    "bow": 7,
    "helmet": 5,
    "potion": 2,
    "horse": 20,
    "castle": 250,
    "herb": 1,
    "ore": 2,
    "feather": 3,
    "ruby": 15,
    "armor": 8,
    "dragon scale": 25,
    "dragon tooth": 40,
    "dragon egg": 100,
}
"""What the trader pays for an item, never more than it costs. What can be had for nothing is not bought."""

ARMS = {"sword": 1, "axe": 1, "bow": 2, "dragon tooth": 2}
"""What an item adds to its owner's throw as the attacker in a battle, however many of it they have."""

GUARDS = {"shield": 1, "helmet": 1, "armor": 2, "dragon scale": 2}
"""The same for the one who is attacked."""


def level(experience: int) -> int:
    """Return the level by experience. In battles the power counts by the same scale: see `might`."""
    return 1 + isqrt(max(0, experience) // LEVEL_EXPERIENCE)


def might(power: int) -> int:
    """Return what power adds to a throw in a battle: 1 from 100 power, 2 from 400, 3 from 900."""
    return level(power) - 1


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


@dataclass(frozen=True)
class Price:
    """What the trader pays for the item that the event names."""

    def __str__(self) -> str:
        return "the item's price"


Amount = int | Number | Share | Given | Taken | Price


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
    FOUNDED = "founded"
    """A guild with members."""
    OFFERED = "offered"
    """The target has offered the player an alliance that the player has not agreed to."""
    ALLIED = "allied"
    """Both sides hold an alliance with the other."""
    AT_MOST = "at most"
    """A parameter of at most so much."""
    BOUGHT = "bought"
    """An item that the trader buys."""


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
    """A number, or the name of the parameter that holds it; for `at most` the greatest one."""

    def least_of(self, event: Mapping[str, Any]) -> int:
        """Return the least that an event with these parameters requires."""
        return int(event[self.least]) if isinstance(self.least, str) else self.least

    def is_met_by(self, event: Mapping[str, Any]) -> bool | None:
        """Return whether an event with these parameters meets it; None if that depends on the world."""
        if self.kind is Kind.AT_MOST:
            return bool(event[self.attribute] <= self.least_of(event))
        if self.kind is Kind.BOUGHT:
            return event["item"] in PRICES
        return None


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
    """Two throws: the player wins with at least as much. Levels are added if the opponent is a player, too.

    In a battle, each side's gear is added as well: `arms` are the player's, `guards` those of a target.
    """

    mine: Number
    theirs: Number
    lost: Result
    against_player: bool = False
    arms: Mapping[str, int] = field(default_factory=dict)
    guards: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_battle(self) -> bool:
        return bool(self.arms)


def gain(attribute: str, amount: Amount) -> Change:
    return Change(Who.PLAYER, attribute, amount)


def hit(attribute: str, amount: Amount) -> Change:
    """Return a change of the target's attribute."""
    return Change(Who.TARGET, attribute, amount)


def has(attribute: str, least: int | str, problem: str, who: Who = Who.PLAYER) -> Precondition:
    return Precondition(Kind.AT_LEAST, problem, who, attribute, least)


def costs(gold: int, what: str) -> Precondition:
    return has("gold", gold, f"You have {{have}} gold, and {what} costs {{least}}")


def takes(stamina: int) -> Precondition:
    """Return the precondition of an action that uses up so much stamina."""
    return has(STAMINA, stamina, "You are tired: this takes {least} stamina, and you have {have}")


ALIVE = has("health", 1, "You are dead: pray first")
TARGET_KNOWN = Precondition(Kind.KNOWN, "Nobody has heard of {target}", Who.TARGET)
TARGET_ALIVE = has("health", 1, "{target} is dead", Who.TARGET)
IN_GUILD = Precondition(Kind.IN_GUILD, "You are in no guild")
NO_GUILD = Precondition(Kind.NO_GUILD, "You are in a guild already: leave it first")
FOUNDED = Precondition(Kind.FOUNDED, "There is no guild {guild}: found it first")
OPPONENT = (ALIVE, TARGET_KNOWN, TARGET_ALIVE)
