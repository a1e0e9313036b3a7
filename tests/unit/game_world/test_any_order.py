"""In whatever order events are decided, written, projected and reverted, the world is what the topic adds up to."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from game_events import EVENT_TYPES
from game_world.store import Store, key
from game_world.world import Decision, RefusedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.game_world.topic import START_TIME, Event, Topic
from tests.world_state import stored, summed

PLAYERS = ("ada", "bob", "cid")
GUILDS = ("owls", "bears")
TARGETS = ("ada", "bob", "cid", "nobody")
# Those that set facts most often, as their order matters most.
TYPES = [
    *("join_guild", "declare_war", "declare_peace", "leave_guild", "propose_alliance", "found_guild") * 4,
    *EVENT_TYPES,
]


def everything(store: Store) -> dict[str, Any]:
    """All that the store holds of the world's state."""
    state: dict[str, Any] = {}
    for name in store.redis.scan_iter("*"):
        kind = name.removeprefix(key("")).partition(":")[0]
        if kind in ("hero", "guild", "candidates"):
            state[name] = {
                field: value for field, value in store.redis.hgetall(name).items() if value != "0" and field != "name"
            }
        elif kind == "members":
            state[name] = set(store.redis.smembers(name))
        elif kind in ("board", "ties", "tied"):
            state[name] = dict(store.redis.zrange(name, 0, -1, withscores=True))
    return {name: held for name, held in state.items() if held}


def parameters(event_type: str, random: Random) -> dict[str, Any]:
    drawn = {
        "target": random.choice(TARGETS),
        "guild": random.choice(GUILDS),
        "amount": random.randint(1, 20),
        "item": random.choice(("sword", "potion", "ore")),
        "experiment": "tavern_sign",
        "variant": "golden",
    }
    return {name: drawn[name] for field in EVENT_TYPES[event_type].parameters if (name := field.name) in drawn}


@dataclass
class Attempt:
    """A request that was decided: its event, and what the API may do if Kafka does not take it."""

    event: Event
    is_again: bool
    is_unknown: bool = False


class Play:
    """One interleaving of what requests, Kafka and the projection do, drawn by a seed."""

    def __init__(self, store: Store, seed: int) -> None:
        self.topic = Topic(store, seed)
        self._random = Random(seed)
        self._in_flight: list[Attempt] = []
        self._retriable: list[Event] = []
        self._requests = 0
        # A player whose only event is reverted stays known.
        for player in PLAYERS:
            self.topic.do("default", player)

    def step(self) -> None:
        steps = (self._request, self._write, self._refuse, self._project, self._retry, self._write_foreign)
        self._random.choices(steps, (4, 3, 1, 1, 1, 1))[0]()

    def end(self) -> None:
        """Read everything that was written, and revert what never was."""
        self.topic.project()
        self.topic.store.revert(self.topic.pending(), shared=True)

    def _time(self) -> int:
        """Later requests may have earlier times, as clocks differ; no two have the same."""
        self._requests += 1
        return START_TIME + self._random.randint(0, 60) * 1000 + self._requests

    def _event(self, types: Sequence[str], key: str = "") -> Event:
        event_type = self._random.choice(types)
        player, fields = self._random.choice(PLAYERS), parameters(event_type, self._random)
        return self.topic.event(event_type, player, key, received_at=self._time(), **fields)

    def _decide(self, event: Event) -> Decision | None:
        with suppress(RefusedError):
            decision = self.topic.decide(event)
            self._in_flight.append(Attempt(event, decision.again))
            return decision
        return None

    def _request(self) -> None:
        """A request, which may have an Idempotency-Key, or stay without an answer from Kafka."""
        has_key = self._random.random() < 0.3
        event = self._event(TYPES, f"key {self._requests}" if has_key else "")
        decision = self._decide(event)
        if decision and has_key:
            self._retriable.append(event)
        elif decision and self._random.random() < 0.3:
            self.topic.world.note_unconfirmed([event], decision.reply)
            self._in_flight[-1].is_unknown = True
            self._retriable.append(event)

    def _retry(self) -> None:
        if self._retriable:
            event = self._random.choice(self._retriable)
            self._decide({**event, "idempotent": True, "received_at": self._time()})

    def _write(self) -> None:
        if self._in_flight:
            self.topic.write(self._in_flight.pop(self._random.randrange(len(self._in_flight))).event)

    def _refuse(self) -> None:
        """Kafka surely does not take an event, or a process dies before it sends one."""
        if self._in_flight:
            attempt = self._in_flight.pop(self._random.randrange(len(self._in_flight)))
            if not attempt.is_again and not attempt.is_unknown:
                self.topic.world.revert(attempt.event)

    def _write_foreign(self) -> None:
        """Another writer writes an event, or the store has lost its decision."""
        event = self._event(("join_guild", "declare_war", "declare_peace", "purchase_sword", "leave_guild"))
        if event["event_type"] == "leave_guild":
            event["guild"] = self._random.choice(GUILDS)
        self.topic.write(event)

    def _project(self) -> None:
        self.topic.project(self._random.randint(1, 5))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 60))
def test_the_world_is_what_its_events_add_up_to(store: Store, seed: int, steps: int) -> None:
    """After any interleaving the store holds what the events alone make, down to the lists and boards."""
    play = Play(store, seed)
    for _ in range(steps):
        play.step()
    play.end()
    assert stored(store) == summed(play.topic.events())
    live = everything(store)
    play.topic.rebuild()
    assert live == everything(store)
    assert not list(store.redis.scan_iter(key("candidates:*")))
