"""The world as the API uses it: it decides whether an action is allowed, and what it results in."""

from asyncio import Lock, Task, get_running_loop
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from random import Random
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import orjson
from game_events import EVENT_TYPES
from game_events.effects import filled
from game_events.names import displayed
from game_events.rules import Kind, Precondition, Who
from redis.exceptions import RedisError

from game_world.calls import Calls, StoreCalls
from game_world.commands import cached_response, command, decided, once_key, pending_name, preconditions_of
from game_world.limits import Bucket, Limit, LocalBuckets, Meter, client
from game_world.refusals import Reason, reason_of
from game_world.store import Store, Unconfirmed
from game_world.views import ReadModel, Views

Json = dict[str, Any]
T = TypeVar("T")

_KEY_PROBLEMS = {
    "other": (Reason.KEY_REUSED, "was used for another request of this kind"),
    "counted": (Reason.KEY_EXPIRED, "was used: that request has happened, and its response is no longer cached"),
}

_MOST_UNCONFIRMED = 10_000
"""Unconfirmed events that a process keeps while the store is unavailable."""

_PAUSE = 1.0
"""Seconds for which a store that did not answer is not asked again: no request waits for it meanwhile."""


class RefusedError(Exception):
    """The rules forbid the action for this reason; `field` is the cause."""

    def __init__(self, reason: Reason, field: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.field = field


class LimitedError(Exception):
    """Too many requests of the `player` or the `address`: that is `field`."""

    def __init__(self, field: str, seconds: float) -> None:
        super().__init__(f"too many requests of this {field}")
        self.field = field
        self.seconds = seconds


class WorldUnavailableError(Exception):
    """The world cannot decide: nothing has happened."""


class Watcher:
    """Receives what happens to the world's calls to the store."""

    def failed(self) -> None:
        """The store did not answer a call."""

    def unconfirmed(self, number: int) -> None:
        """So many unconfirmed events wait until the store can note them."""


class Decision(NamedTuple):
    fields: Json
    """Fields of the event."""
    again: bool = False
    """Whether it is the decision of an earlier request under the same key."""
    reply: Json | None = None
    """The store's reply."""


class World:
    """Its coroutines belong to one event loop; `ask` is for threads. Survives a fork before its first use."""

    def __init__(self, store: Store, per_player: Limit, per_address: Limit, watcher: Watcher | None = None) -> None:
        self.store = store
        self._watcher = watcher or Watcher()
        self._unavailable_until = 0.0
        self._unconfirmed: list[Unconfirmed] = []
        self._noting = Lock()
        self._per_player = per_player
        self._per_address = per_address
        self._local = LocalBuckets()
        self._calls: Calls = StoreCalls(store)
        self.views: Views = ReadModel(store)
        self._notes: set[Task[None]] = set()

    async def decide(
        self,
        event: Mapping[str, Any],
        address: str,
        random: Random,
        meter: Meter | None = None,
        is_v1: bool = False,
    ) -> Decision:
        """Decide the event and apply its effects; version 1 of the API requires more of some events.

        Raises RefusedError, LimitedError, WorldUnavailableError: then nothing has happened. An event without
        preconditions happens even if the world is unavailable: the projection will apply it.
        """
        event_type = EVENT_TYPES[event["event_type"]]
        if event_type.concerns_target and event["target"] == event["player"]:
            await self.limit({event["player"]: 1}, address, meter=meter)
            raise RefusedError(Reason.YOURSELF, "target", "That is yourself")
        buckets = self._buckets({event["player"]: 1}, address)
        preconditions = preconditions_of(event_type, event, is_v1)
        made = command(event_type, event, random, is_v1) | {"limits": buckets}
        try:
            reply = await self._decide(made, buckets, meter)
        except WorldUnavailableError:
            self._limit_here(buckets, meter)
            if event_type.is_free and not preconditions:
                return Decision({})
            raise
        if "unavailable" in reply and event_type.is_free and not preconditions:
            return Decision({})
        self._check(preconditions, event, reply)
        return Decision(decided(event_type, reply), "again" in reply, reply)

    async def limit(
        self,
        players: Mapping[str, int],
        address: str,
        cost: int = 1,
        further: Sequence[Bucket] = (),
        meter: Meter | None = None,
    ) -> None:
        """Raise LimitedError if a player, each with their own cost, the address or a further bucket is at its limit."""
        await self.take([*self._buckets(players, address, cost), *further], meter)

    async def take(self, buckets: list[Bucket], meter: Meter | None = None) -> None:
        """Take the cost from every bucket, or raise LimitedError and take nothing."""
        if not buckets:
            return
        try:
            reply = await self._decide({"limits": buckets}, buckets, meter)
        except WorldUnavailableError:
            self._limit_here(buckets, meter)
        else:
            self._check_limits(reply)

    async def revert(self, event: Mapping[str, Any]) -> bool:
        """Revert an event that is surely not in the topic. If the store is unavailable, the projection will do so.

        Return False and revert nothing if another request got the same response: its record may reach the topic.
        """
        try:
            return await self._calls.revert([pending_name(event)])
        except RedisError:
            self._watcher.failed()
            return True

    async def note_unconfirmed(self, events: Iterable[Mapping[str, Any]], reply: Json | None = None) -> None:
        """Note for RETRY_SECONDS that these events may be in the topic; `reply` is the store's for a single event."""
        for event in islice(events, max(0, _MOST_UNCONFIRMED - len(self._unconfirmed))):
            unconfirmed = Unconfirmed(once_key(event))
            if reply is not None and not event.get("idempotent"):
                response = cached_response(EVENT_TYPES[event["event_type"]], event, reply)
                unconfirmed = Unconfirmed(once_key(event), pending_name(event), orjson.dumps(response).decode())
            self._unconfirmed.append(unconfirmed)
        self._watcher.unconfirmed(len(self._unconfirmed))
        with suppress(WorldUnavailableError):
            await self._send_unconfirmed()

    async def may_be_written(self, events: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Return for each event whether an earlier attempt may be in the topic: True unless the store knows of none."""
        try:
            await self._send_unconfirmed()
            return await self.call(lambda calls: calls.are_unconfirmed([once_key(event) for event in events]))
        except WorldUnavailableError:
            return [True] * len(events)

    def note_receipt(self, event: Mapping[str, Any], partition: int, offset: int) -> None:
        """Note where an acknowledged event is in the topic, for as long as its response is cached.

        Nobody waits for it: while the store is unavailable, it is not noted.
        """
        task = get_running_loop().create_task(self._note_receipt(once_key(event), partition, offset))
        # The loop itself keeps tasks only weakly.
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _note_receipt(self, once: str, partition: int, offset: int) -> None:
        with suppress(WorldUnavailableError):
            await self.call(lambda calls: calls.note_receipt(once, partition, offset))

    async def receipts(self, player: str, event_id: str) -> dict[str, tuple[int, int]]:
        """Return the partition and offset of a player's events with this id, by their types, as far as they are noted.

        Raises WorldUnavailableError.
        """
        named = [{"player": player, "event_type": event_type, "event_id": event_id} for event_type in EVENT_TYPES]
        places = await self.call(lambda calls: calls.receipts(list(map(once_key, named))))
        return {event_type: place for event_type, place in zip(EVENT_TYPES, places, strict=True) if place}

    async def _send_unconfirmed(self) -> None:
        """Send the unconfirmed events to the store, with those that it could not take before."""
        if not self._unconfirmed:
            return
        # Nobody may ask for unconfirmed events until these are noted.
        async with self._noting:
            events = list(self._unconfirmed)
            if events:
                await self.call(lambda calls: calls.note_unconfirmed(events))
            del self._unconfirmed[: len(events)]
            self._watcher.unconfirmed(len(self._unconfirmed))

    def ask(self, question: Callable[[], T]) -> T:
        """Ask the store; raise WorldUnavailableError, at once if it has just failed to answer."""
        self._check_available()
        try:
            return question()
        except RedisError as error:
            raise self._unavailable() from error

    async def call(self, question: Callable[[Calls], Awaitable[T]]) -> T:
        """Ask as `ask` does, from the event loop."""
        self._check_available()
        try:
            return await question(self._calls)
        except RedisError as error:
            raise self._unavailable() from error

    def _check_available(self) -> None:
        if monotonic() < self._unavailable_until:
            raise WorldUnavailableError("the world is unavailable")

    def _unavailable(self) -> WorldUnavailableError:
        self._watcher.failed()
        self._unavailable_until = monotonic() + _PAUSE
        return WorldUnavailableError("the world is unavailable")

    def _buckets(self, players: Mapping[str, int], address: str, cost: int = 1) -> list[Bucket]:
        made: list[Bucket] = []
        if rate := self._per_address.rate:
            made.append(
                Bucket(f"limit:address:{client(address)}", int(1_000_000 / rate), self._per_address.burst, cost)
            )
        if rate := self._per_player.rate:
            interval, burst = int(1_000_000 / rate), self._per_player.burst
            made += [Bucket(f"limit:player:{player}", interval, burst, own) for player, own in players.items()]
        return made

    async def _decide(self, made: Json, buckets: list[Bucket], meter: Meter | None) -> Json:
        """Return the store's reply to a command, which takes from these buckets."""
        if meter is None or not buckets:
            return await self.call(lambda calls: calls.decide(made))
        told = await self.call(lambda calls: calls.decide(made | {"tells": True}))
        meter.note(buckets, told["fulls"])
        return dict(told["reply"])

    def _limit_here(self, buckets: list[Bucket], meter: Meter | None) -> None:
        exceeded = self._local.take(buckets)
        if meter is not None:
            meter.note(buckets, self._local.fulls(buckets))
        if exceeded:
            self._check_limits(exceeded._asdict())

    def _check(self, preconditions: Sequence[Precondition], event: Mapping[str, Any], reply: Json) -> None:
        self._check_limits(reply)
        if "key" in reply:
            reason, problem = _KEY_PROBLEMS[reply["key"]]
            raise RefusedError(reason, "Idempotency-Key", problem)
        if "unavailable" in reply:
            raise WorldUnavailableError("the world is being rebuilt from the topic")
        if "full" in reply:
            raise WorldUnavailableError("the world is full: it takes no new players for now")
        if "precondition" in reply:
            precondition = preconditions[reply["precondition"]]
            problem = _problem(precondition, event, reply["have"])
            raise RefusedError(reason_of(precondition), _cause(precondition), problem)

    def _check_limits(self, reply: Json) -> None:
        if "wait" in reply:
            raise LimitedError(reply["limit"].split(":")[1], reply["wait"] / 1e6)


def _problem(precondition: Precondition, event: Mapping[str, Any], have: int) -> str:
    return filled(precondition.problem, {**displayed(event), "have": have, "least": precondition.least_of(event)})


def _cause(precondition: Precondition) -> str:
    """Return the `field` of the response."""
    if precondition.who is Who.TARGET or precondition.kind in (Kind.SAME_GUILD, Kind.ALLIED):
        return "target"
    if precondition.kind in (Kind.AT_LEAST, Kind.AT_MOST) and precondition.who is not Who.GUILD:
        return precondition.attribute.split(":")[0]
    return "item" if precondition.kind is Kind.BOUGHT else "guild"
