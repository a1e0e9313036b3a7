"""Heroes and guilds, and what events change in them: the state that world.lua keeps in the store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import time

from game_events.effects import Effect, Fact
from game_events.rules import MOST_STAMINA, STAMINA, STAMINA_SECONDS, START

from game_world.memory.kept import MOST
from game_world.store import MOST_TIES


@dataclass(slots=True)
class Tie:
    value: str
    since: int
    """Milliseconds."""


@dataclass(slots=True)
class Hero:
    name: str
    """As given."""
    amounts: dict[str, int] = field(default_factory=lambda: dict(START))
    guild: str = ""
    guild_since: int = 0
    ties: dict[str, Tie] = field(default_factory=dict)
    """By their targets, the latest last."""
    rested_at: float = 0.0
    """When the hero has all stamina, in seconds."""


@dataclass(slots=True)
class Guild:
    name: str
    amounts: dict[str, int] = field(default_factory=dict)


class State:
    """`stamina_seconds` are those until one stamina is back; 0: actions take none."""

    def __init__(self, stamina_seconds: int = STAMINA_SECONDS) -> None:
        self.heroes: dict[str, Hero] = {}
        self.guilds: dict[str, Guild] = {}
        self._stamina_seconds = stamina_seconds

    def has_room_for(self, player: str) -> bool:
        return player in self.heroes or len(self.heroes) < MOST

    def meet(self, player: str) -> Hero:
        """Return the hero, who is created if nobody knows them."""
        return self.heroes.setdefault(player, Hero(player))

    def amount(self, owner: str, name: str, attribute: str) -> int:
        """Return how much of an attribute a `hero` or a `guild` has."""
        if attribute == STAMINA:
            return self.stamina(name)
        if owner == "guild":
            return self.guilds[name].amounts.get(attribute, 0) if name in self.guilds else 0
        return self.heroes[name].amounts.get(attribute, 0) if name in self.heroes else START.get(attribute, 0)

    def stamina(self, player: str) -> int:
        hero = self.heroes.get(player)
        if not self._stamina_seconds or hero is None:
            return MOST_STAMINA
        return int(MOST_STAMINA - max(0.0, hero.rested_at - time()) / self._stamina_seconds)

    def tire(self, player: str, amount: int) -> None:
        """Take stamina, or give it back if the amount is negative."""
        hero = self.heroes[player]
        hero.rested_at = max(hero.rested_at, time()) + amount * self._stamina_seconds

    def add(self, effects: Iterable[Effect], sign: int = 1) -> None:
        for effect in effects:
            changed = self._guild(effect.name) if effect.owner == "guild" else self.meet(effect.name)
            changed.amounts[effect.attribute] = changed.amounts.get(effect.attribute, 0) + sign * effect.amount

    def _guild(self, name: str) -> Guild:
        if name not in self.guilds and len(self.guilds) >= MOST:
            del self.guilds[next(iter(self.guilds))]
        return self.guilds.setdefault(name, Guild(name))

    def members(self, guild: str) -> int:
        return sum(hero.guild == guild for hero in self.heroes.values())

    def since(self, fact: Fact) -> int:
        """Return the time of the fact that holds, in milliseconds."""
        hero = self.heroes.get(fact.player)
        if hero is None:
            return 0
        return hero.guild_since if fact.name == "guild" else hero.ties.get(fact.target, Tie("", 0)).since

    def held(self, fact: Fact) -> tuple[str, int]:
        """Return the value that holds instead of a fact, and its time."""
        hero = self.meet(fact.player)
        if fact.name == "guild":
            return hero.guild, hero.guild_since
        tie = hero.ties.get(fact.target, Tie("", 0))
        return tie.value, tie.since

    def settle(self, fact: Fact, value: str, since: int) -> None:
        """Let this value of the fact hold."""
        hero = self.meet(fact.player)
        if fact.name == "guild":
            before, hero.guild, hero.guild_since = hero.guild, value, since
            if before in self.guilds and not self.members(before):
                self.guilds[before].name = before
            return
        hero.ties.pop(fact.target, None)
        if since:
            hero.ties[fact.target] = Tie(value, since)
        if len(hero.ties) > MOST_TIES:
            del hero.ties[next(iter(hero.ties))]

    def set_names(self, names: Mapping[str, str]) -> None:
        """Set names as given, by `hero:NAME` and `guild:NAME`."""
        for owner, given in names.items():
            kind, _, name = owner.partition(":")
            if kind == "guild":
                self._guild(name).name = given
            else:
                self.meet(name).name = given

    def is_tied(self, player: str, target: str) -> bool:
        hero = self.heroes.get(player)
        return hero is not None and target in hero.ties and hero.ties[target].value == "alliance"
