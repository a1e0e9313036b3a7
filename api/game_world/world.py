"""The world as the API asks it: whether something may be, and what comes of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from random import Random
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import orjson
from game_events import EVENT_TYPES, EventType
from game_events.effects import filled
from game_events.names import displayed
from game_events.rules import Kind, Need, Who
from redis.exceptions import RedisError

from game_world.commands import decided, deed, once_key, pending_name, told_again
from game_world.limits import Bucket, Limit, LocalBuckets, client
from game_world.store import Doubt, Store

Json = dict[str, Any]
T = TypeVar("T")

_KEY_PROBLEMS = {
    "other": "was used for another request of this kind",
    "counted": "was used: that request has happened, and what came of it is no longer known",
}

_DOUBTS = 10_000
"""Events whose outcome is unknown that are kept while the store is away."""

_PAUSE = 1.0
"""Seconds for which a store that did not answer is not asked again: nobody waits for it in vain twice."""


class RefusedError(Exception):
    """The rules forbid it; `field` is what is to blame."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class LimitedError(Exception):
    """Too many requests; `field` is whose: `player` or `address`."""

    def __init__(self, field: str, seconds: float) -> None:
        super().__init__(f"too many requests of this {field}")
        self.field = field
        self.seconds = seconds


class WorldAwayError(Exception):
    """The world cannot tell: nothing has happened."""


class Decision(NamedTuple):
    """`fields` are the event's; it was decided `again` if an earlier request under its key was: that one stands.

    `answer` is what the store said.
    """

    fields: Json
    again: bool = False
    answer: Json | None = None


class World:
    def __init__(self, store: Store, per_player: Limit, per_address: Limit) -> None:
        self.store = store
        self._away_until = 0.0
        self._doubts: list[Doubt] = []
        self._noting = Lock()
        self._per_player = per_player
        self._per_address = per_address
        self._local = LocalBuckets()

    def decide(self, event: Mapping[str, Any], address: str, random: Random) -> Decision:
        """Carry out what the event is to tell of.

        Raises RefusedError, LimitedError, WorldAwayError: then nothing has happened. An event that depends on nothing
        happens even if the world is away: the projection will bring it in.
        """
        event_type = EVENT_TYPES[event["event_type"]]
        if event_type.concerns_target and event["target"] == event["player"]:
            self.limit({event["player"]: 1}, address)
            raise RefusedError("target", "That is yourself")
        made = deed(event_type, event, random)
        buckets = self._buckets({event["player"]: 1}, address)
        made["limits"] = buckets
        try:
            answer = self.ask(lambda: self.store.decide(made))
        except WorldAwayError:
            self._limit_here(buckets)
            if event_type.is_free:
                return Decision({})
            raise
        if "away" in answer and event_type.is_free:
            return Decision({})
        self._check(event_type, event, answer)
        return Decision(decided(event_type, answer), "again" in answer, answer)

    def limit(self, players: Mapping[str, int], address: str, cost: int = 1) -> None:
        """Raise LimitedError if this is too much for a player, each with their own cost, or for the address."""
        if not (buckets := self._buckets(players, address, cost)):
            return
        try:
            answer = self.ask(lambda: self.store.decide({"limits": buckets}))
        except WorldAwayError:
            self._limit_here(buckets)
        else:
            self._check_limits(answer)

    def revert(self, event: Mapping[str, Any]) -> bool:
        """Take back an event that surely is not in the topic. If the store is away, the projection will find out.

        Nothing is taken back, and False returned, if another request was told the same: its event may come there.
        """
        try:
            return self.store.revert([pending_name(event)])
        except RedisError:
            return True

    def doubt(self, events: Iterable[Mapping[str, Any]], answer: Json | None = None) -> None:
        """Note for RETRY_SECONDS that these events may be in the topic; `answer` is what the store said of the one."""
        for event in events:
            doubt = [once_key(event)]
            if answer is not None and not event.get("idempotent"):
                told = told_again(EVENT_TYPES[event["event_type"]], event, answer)
                doubt += [pending_name(event), orjson.dumps(told).decode()]
            if len(self._doubts) < _DOUBTS:
                self._doubts.append(doubt)
        with suppress(WorldAwayError):
            self._note_doubts()

    def may_be_written(self, events: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Tell of each event whether an earlier attempt may be in the topic: it may unless the store knows of none."""
        try:
            self._note_doubts()
            return self.ask(lambda: self.store.are_doubted([once_key(event) for event in events]))
        except WorldAwayError:
            return [True] * len(events)

    def _note_doubts(self) -> None:
        """Tell the store, and what it could not be told before."""
        if not self._doubts:
            return
        # Until they are noted, nobody is to ask whether there are any.
        with self._noting:
            doubts = list(self._doubts)
            if doubts:
                self.ask(lambda: self.store.doubt(doubts))
            del self._doubts[: len(doubts)]

    def ask(self, question: Callable[[], T]) -> T:
        """Ask the store; raise WorldAwayError, at once if it has just not answered another question."""
        if monotonic() < self._away_until:
            raise WorldAwayError("the world is away")
        try:
            return question()
        except RedisError as error:
            self._away_until = monotonic() + _PAUSE
            raise WorldAwayError("the world is away") from error

    def _buckets(self, players: Mapping[str, int], address: str, cost: int = 1) -> list[Bucket]:
        made: list[Bucket] = []
        if rate := self._per_address.rate:
            made.append((f"limit:address:{client(address)}", 1_000_000 // rate, self._per_address.burst, cost))
        if rate := self._per_player.rate:
            interval, burst = 1_000_000 // rate, self._per_player.burst
            made += [(f"limit:player:{player}", interval, burst, own) for player, own in players.items()]
        return made

    def _limit_here(self, buckets: list[Bucket]) -> None:
        if exceeded := self._local.take(buckets):
            self._check_limits(exceeded._asdict())

    def _check(self, event_type: EventType, event: Mapping[str, Any], answer: Json) -> None:
        self._check_limits(answer)
        if "key" in answer:
            raise RefusedError("Idempotency-Key", _KEY_PROBLEMS[answer["key"]])
        if "away" in answer:
            raise WorldAwayError("the world is being rebuilt from the topic")
        if "full" in answer:
            raise WorldAwayError("the world is full: it takes no new players for now")
        if "need" in answer:
            need = event_type.needs[answer["need"]]
            raise RefusedError(_blamed(need), _problem(need, event, answer["have"]))

    def _check_limits(self, answer: Json) -> None:
        if "wait" in answer:
            raise LimitedError(answer["limit"].split(":")[1], answer["wait"] / 1e6)


def _problem(need: Need, event: Mapping[str, Any], have: int) -> str:
    return filled(need.problem, {**displayed(event), "have": have, "least": need.least_of(event)})


def _blamed(need: Need) -> str:
    """Name what is to blame, as an answer's `field`."""
    if need.who is Who.TARGET or need.kind in (Kind.SAME_GUILD, Kind.ALLIED):
        return "target"
    if need.kind is Kind.AT_LEAST:
        return need.attribute.split(":")[0]
    return "guild"
