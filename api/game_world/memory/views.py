"""What pages show of the world in memory, as game_world/views.py shows the store's."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from game_events.names import normal
from game_events.rules import START, level

from game_world.memory.state import Hero, State
from game_world.views import BOARDS, FEED, LEADERS, WARS, Json, Views, entry


class MemoryViews(Views):
    def __init__(self, state: State) -> None:
        self._state = state
        self._feed: deque[tuple[int, Json]] = deque(maxlen=500)

    def add(self, place: int, event: Mapping[str, Any]) -> None:
        """Add an event to the event feed."""
        self._feed.append((place, dict(event)))

    def hero(self, name: str) -> Json:
        kept = normal(name)
        found = self._state.heroes.get(kept)
        hero = found or Hero(name)
        numbers = {attribute: hero.amounts[attribute] for attribute in START}
        items = {key.removeprefix("item:"): number for key, number in dict(hero.amounts).items() if key[:5] == "item:"}
        ties = {target: self._tie(kept, target, tie.value) for target, tie in dict(hero.ties).items() if tie.value}
        return {
            "player": hero.name,
            "known": found is not None,
            **numbers,
            "stamina": self._state.stamina(kept),
            "level": level(hero.amounts["experience"]),
            "guild": self._guild(hero.guild),
            "items": dict(sorted((item, number) for item, number in items.items() if number > 0)),
            "ties": dict(
                sorted((known.name, tie) for target, tie in ties.items() if (known := self._state.heroes.get(target)))
            ),
        }

    def _tie(self, player: str, target: str, tie: str) -> str:
        return "offer" if tie == "alliance" and not self._state.is_tied(target, player) else tie

    def _guild(self, name: str) -> str:
        return self._state.guilds[name].name if name in self._state.guilds else name

    def overview(self) -> Json:
        heroes = dict(self._state.heroes)
        members = Counter(hero.guild for hero in heroes.values() if hero.guild)
        wars: list[Json] = [
            {"player": hero.name, "target": heroes[target].name, "since": tie.since}
            for hero in heroes.values()
            for target, tie in dict(hero.ties).items()
            if tie.value == "war" and target in heroes
        ]
        return {
            "leaders": {board: _leaders(heroes, board) for board in BOARDS},
            "guilds": [
                {"guild": self._guild(guild), "members": number, "gold": self._state.amount("guild", guild, "gold")}
                for guild, number in members.most_common(LEADERS)
            ],
            "wars": sorted(wars, key=lambda war: war["since"], reverse=True)[:WARS],
        }

    def feed(self, after: str = "") -> list[Json]:
        least = int(after.partition("-")[0]) if after else -1
        return [entry(f"{place}-0", event) for place, event in list(self._feed) if place > least][-FEED:]


def _leaders(heroes: Mapping[str, Hero], board: str) -> list[Json]:
    first = sorted(heroes.values(), key=lambda hero: hero.amounts[board], reverse=True)[:LEADERS]
    return [{"player": hero.name, board: hero.amounts[board]} for hero in first]
