"""A topic in memory, and requests whose events are written to it, or are not, as a test wants."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from random import Random
from typing import Any

from game_events import EVENT_TYPES, SCHEMA_VERSION, encode
from game_events.effects import Effect, Fact
from game_events.event_ids import uuid7s
from game_events.rules import MOST_STAMINA, STAMINA_SECONDS
from game_world.limits import Limit
from game_world.records import Record, records
from game_world.store import Store, key
from game_world.world import Decision, World
from orjson import loads

from tests.unit.game_api.client import run
from tests.world_state import stored

Event = dict[str, Any]

NO_LIMIT = Limit(0, 0)
START_TIME = 1_700_000_000_000


class BlockingWorld:
    """A world whose methods return when they are done."""

    def __init__(self, store: Store) -> None:
        self._world = World(store, NO_LIMIT, NO_LIMIT)

    def decide(self, event: Mapping[str, Any], address: str, random: Random) -> Decision:
        return run(self._world.decide(event, address, random))

    def revert(self, event: Mapping[str, Any]) -> bool:
        return run(self._world.revert(event))

    def note_unconfirmed(self, events: Iterable[Mapping[str, Any]], reply: Event | None = None) -> None:
        run(self._world.note_unconfirmed(events, reply))

    def may_be_written(self, events: Sequence[Mapping[str, Any]]) -> list[bool]:
        return run(self._world.may_be_written(events))


class Topic:
    """One partition, which the store's world is made from."""

    def __init__(self, store: Store, seed: int = 1) -> None:
        self.store = store
        self.world = BlockingWorld(store)
        self.values: list[bytes] = []
        self._random = Random(seed)
        self._times = count(START_TIME)
        self.rebuild()

    def rebuild(self) -> None:
        """Empty the store, and make the world from the topic."""
        self.store.redis.flushall()
        self.store.claim("topic")
        self.begin_at(0, 0)
        self.project()
        self.store.set_caught_up()

    def begin_at(self, partition: int, offset: int) -> None:
        """Set the next offset of a partition."""
        self.store.begin_at("topic", partition, self.store.positions().get(partition), offset)

    def event(self, event_type: str, player: str, key: str = "", **fields: Any) -> Event:  # noqa: ANN401 as events
        """Make the event of a request; it is not decided yet."""
        received_at = fields.pop("received_at", next(self._times))
        event: Event = {
            "event_id": key or uuid7s(received_at, 1)[0],
            "event_type": event_type,
            "schema_version": SCHEMA_VERSION,
            "received_at": received_at,
            "player": player,
        }
        if key:
            event["idempotent"] = True
        for name, distribution in EVENT_TYPES[event_type].draws.items():
            event[name] = distribution.draw(self._random)
        return event | fields

    def decide(self, event: Event) -> Decision:
        """Decide the event, which gets the decision's fields."""
        decision = self.world.decide(event, "192.0.2.1", self._random)
        event |= decision.fields
        return decision

    def write(self, *events: Mapping[str, Any]) -> None:
        self.values += map(encode, events)

    def do(self, event_type: str, player: str, key: str = "", **fields: Any) -> Event:  # noqa: ANN401
        """Decide an event and write it."""
        event = self.event(event_type, player, key, **fields)
        self.decide(event)
        self.write(event)
        return event

    def project(self, most: int | None = None) -> None:
        """Let the projection read on, at most so many records."""
        first = self.store.positions()[0]
        values = self.values[first : None if most is None else first + most]
        made = records(values, self.store.are_pending)
        assert self.store.project(0, range(first, first + len(values)), made) == first + len(values)

    def give(self, player: str, guild: str | None = None, ally: str = "", **amounts: int) -> None:
        """Let a player have this, as after some event: amounts of attributes, `item_…` of items."""
        number = len(self.values)
        stamp = f"{START_TIME:013d}/{number:09d}/gift"
        changed = [Effect("hero", player, name.replace("item_", "item:"), amount) for name, amount in amounts.items()]
        settled = [Fact(player, "guild", "", guild, stamp)] if guild is not None else []
        settled += [Fact(player, "tie", ally, "alliance", stamp)] if ally else []
        record = Record(name=stamp, player=player, at=START_TIME, is_free=False, is_marked=False)
        record["effects"], record["facts"] = changed, settled
        self.values.append(b"")
        assert self.store.project(0, range(number, number + 1), [record]) == number + 1

    def donate(self, guild: str, gold: int) -> None:
        """Let a guild have gold, as after some event."""
        number = len(self.values)
        record = Record(name=f"gift {number}", player="patron", at=START_TIME, is_free=False, is_marked=False)
        record["effects"], record["facts"] = [Effect("guild", guild, "gold", gold)], []
        self.values.append(b"")
        assert self.store.project(0, range(number, number + 1), [record]) == number + 1

    def tire(self, player: str, left: int) -> None:
        """Let a player have only so much stamina left."""
        missing = (MOST_STAMINA - left) * STAMINA_SECONDS
        self.store.redis.set(key(f"stamina:{player}"), int((self.store.now() + missing) * 1e6))

    def hero(self, player: str) -> dict[str, Any]:
        return stored(self.store).get(f"hero:{player}", {})

    def events(self) -> Iterable[Event]:
        return map(loads, self.values)

    def pending(self) -> list[str]:
        return [name for name, _ in self.store.pending()]
