"""The read model: what pages show of the world."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import orjson
from game_events import EVENT_TYPES
from game_events.effects import filled, result_of
from game_events.names import displayed, normal
from game_events.rules import START, level

from game_world.store import Store, key

BOARDS = ("gold", "experience", "power")
LEADERS = 10
WARS = 20
_READ = 200
"""Wars that are read, to find so many whose targets are players."""
FEED = 50

_PAIR = "\x1f"

Json = dict[str, Any]


class Views(Protocol):
    """What pages ask of a world."""

    def hero(self, name: str) -> Json:
        """A player; an unknown one has what everybody starts with."""

    def overview(self) -> Json:
        """Leaders, guilds and wars."""

    def feed(self, after: str = "") -> list[Json]:
        """The newest events after a place in the event feed, oldest first."""


class ReadModel(Views):
    """Every method raises RedisError if the store is unavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._redis = store.redis

    def hero(self, name: str) -> Json:
        kept = normal(name)
        found = {str(field): str(value) for field, value in self._redis.hgetall(key(f"hero:{kept}")).items()}
        ties = self._agreed(kept, {target: tie for target, tie in _named("tie:", found) if tie})
        numbers = {attribute: int(found.get(attribute, start)) for attribute, start in START.items()}
        return {
            "player": found.get("name", kept if found else name),
            "known": bool(found),
            **numbers,
            "stamina": self._store.stamina(kept),
            "level": level(numbers["experience"]),
            "guild": self._names("guild", [found["guild"]])[0] if found.get("guild") else "",
            "items": dict(sorted((item, int(number)) for item, number in _named("item:", found) if int(number) > 0)),
            "ties": dict(sorted((shown, ties[target]) for target, shown in self._known(ties).items())),
        }

    def _names(self, kind: str, kept: Sequence[str]) -> list[str]:
        """Return the names of players or guilds as given."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in kept:
                pipeline.hget(key(f"{kind}:{name}"), "name")
            return [given or name for given, name in zip(pipeline.execute(), kept, strict=True)]

    def _agreed(self, player: str, ties: Mapping[str, str]) -> dict[str, str]:
        """Return the ties; an alliance to which the other side has not agreed is an `offer`."""
        offered = [target for target, tie in ties.items() if tie == "alliance"]
        with self._redis.pipeline(transaction=False) as pipeline:
            for target in offered:
                pipeline.hget(key(f"hero:{target}"), f"tie:{player}")
            answers = zip(offered, pipeline.execute(), strict=True)
        return dict(ties) | {target: "offer" for target, answer in answers if answer != "alliance"}

    def overview(self) -> Json:
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in (*BOARDS, "guilds"):
                pipeline.zrevrange(key(f"board:{name}"), 0, LEADERS - 1, withscores=True)
            pipeline.zrevrange(key("ties:war"), 0, _READ - 1, withscores=True)
            *boards, guilds, declared = pipeline.execute()
        wars = [(*pair.split(_PAIR), since) for pair, since in declared]
        known = self._known(name for player, target, _ in wars for name in (player, target))
        with self._redis.pipeline(transaction=False) as pipeline:
            for guild, _ in guilds:
                pipeline.hget(key(f"guild:{guild}"), "gold")
            treasures = pipeline.execute()
        return {
            "leaders": {
                name: [
                    {"player": player, name: int(score)}
                    for player, (_, score) in zip(self._names("hero", [one for one, _ in board]), board, strict=True)
                ]
                for name, board in zip(BOARDS, boards, strict=True)
            },
            "guilds": [
                {"guild": guild, "members": int(members), "gold": int(gold or 0)}
                for guild, (_, members), gold in zip(
                    self._names("guild", [one for one, _ in guilds]), guilds, treasures, strict=True
                )
            ],
            "wars": [
                {"player": known.get(player, player), "target": known[target], "since": int(since)}
                for player, target, since in [war for war in wars if war[1] in known][:WARS]
            ],
        }

    def _known(self, names: Iterable[str]) -> dict[str, str]:
        """Return the names as given of those who are players: a tie to anybody else shows once they are one."""
        names = list(dict.fromkeys(names))
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hmget(key(f"hero:{name}"), "name", "health")
            answers = pipeline.execute()
        return {name: given or name for name, (given, health) in zip(names, answers, strict=True) if health is not None}

    def feed(self, after: str = "") -> list[Json]:
        least = f"({after}" if after else "-"
        newest: list[tuple[str, dict[str, str]]] = self._redis.xrevrange(key("feed"), "+", least, count=FEED)  # type: ignore[assignment]
        return [entry(place, orjson.loads(found["event"])) for place, found in reversed(newest)]


def _named(prefix: str, found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name.removeprefix(prefix), value) for name, value in found.items() if name.startswith(prefix))


def entry(place: str, event: Json) -> Json:
    """Return an event as the event feed shows it."""
    event_type, shown = EVENT_TYPES.get(event["event_type"]), displayed(event)
    return {
        "id": place,
        "received_at": event["received_at"],
        "player": shown["player"],
        "event_type": event["event_type"],
        "family": event_type.family if event_type else "",
        "text": f"{shown['player']}: {sentence(shown)}",
    }


def sentence(event: Mapping[str, Any]) -> str:
    """The answer that the player got, followed by those of the type's fields that it leaves out."""
    event_type = EVENT_TYPES.get(event["event_type"])
    # A newer projection may know more types, and other writers may leave out fields of the answer.
    plain = str(event["event_type"]).replace("_", " ")
    if event_type is None:
        return plain
    answer = result_of(event_type, event).answer
    missing = [own.name for own in event_type.fields if own.name in event and f"{{{own.name}}}" not in answer]
    beside = ", ".join(f"{name}: {event[name]}" for name in missing)
    try:
        text = filled(answer, event)
    except KeyError:
        text = plain
    return f"{text} ({beside})" if beside else text
