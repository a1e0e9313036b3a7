"""The calls of a world (game_world/calls.py), answered from memory by the rules of the store's scripts."""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import time
from typing import Any

import orjson
from game_events.effects import Effect, Fact
from game_events.event_ids import RETRY_SECONDS

from game_world.commands import Json
from game_world.limits import Bucket, Exceeded, LocalBuckets
from game_world.memory.decisions import decide, unmet
from game_world.memory.kept import MOST, Kept
from game_world.memory.state import State
from game_world.records import Record, records
from game_world.store import IDEMPOTENCY_TTL, ONCE_KEPT_SECONDS, ONCE_SECONDS, SEEN_SECONDS, Unconfirmed


@dataclass(slots=True)
class _Note:
    """What a pending event did."""

    player: str
    effects: list[Effect]
    before: list[tuple[Fact, str, int]]
    """The facts that it stated, with what held before."""
    stamina: int
    once: str | None
    is_shared: bool = False


class MemoryCalls:
    """Everything is bounded; the world takes no new players beyond that.

    `delay` returns for how many seconds the next request is refused although it is within the limits; 0: it is not.
    """

    def __init__(self, state: State, delay: Callable[[], float]) -> None:
        self._delay = delay
        self._state = state
        self._buckets = LocalBuckets()
        self._pending: OrderedDict[str, _Note] = OrderedDict()
        self._responses: Kept[Json] = Kept()
        self._once: Kept[int] = Kept()
        self._seen: Kept[bool] = Kept()
        self._unconfirmed: Kept[bool] = Kept()
        self._receipts: Kept[tuple[int, int]] = Kept()
        self._claims: Kept[int] = Kept()

    async def decide(self, command: Json) -> Json:
        buckets: list[Bucket] = command["limits"]
        if buckets and (seconds := self._delay()):
            last = buckets[-1]
            exceeded: Exceeded | None = Exceeded(last.name, seconds * 1e6)
            fulls = [*self._buckets.fulls(buckets[:-1]), (last.burst - 1) * last.interval + seconds * 1e6]
        else:
            exceeded = self._buckets.take(buckets)
            fulls = self._buckets.fulls(buckets)
        if exceeded:
            reply: Json = exceeded._asdict()
            fulls = fulls[: [bucket.name for bucket in buckets].index(exceeded.limit) + 1]
        else:
            reply = self._execute(command) if "name" in command else {}
        return {"fulls": fulls, "reply": reply} if command.get("tells") else reply

    def _execute(self, command: Json) -> Json:
        once = command.get("once")
        if once and (earlier := self._cached(command, once)):
            return earlier
        at = self._stamp(command) if command["facts"] else 0
        reply, effects = self._decided(command)
        if not {"unavailable", "full", "precondition"}.isdisjoint(reply):
            return reply
        if at:
            reply["drawn"]["received_at"] = at
        self._state.set_names(command.get("names", {}))
        before = [(fact, *self._state.held(fact)) for fact in command["facts"]]
        for fact in command["facts"]:
            self._state.settle(fact, fact.value, at)
        stamina = 0 if "effects" in command else command.get("stamina", 0)
        self._pending[command["name"]] = _Note(command["player"], effects, before, stamina, once)
        if len(self._pending) > MOST:
            self._pending.popitem(last=False)
        if once:
            reply["fingerprint"] = command["fingerprint"]
            self._responses.set(once, reply, IDEMPOTENCY_TTL)
        return dict(reply)

    def _decided(self, command: Json) -> tuple[Json, list[Effect]]:
        """Return the decision, applied, and its effects."""
        if "effects" not in command:
            return decide(self._state, command)
        is_strict = "preconditions" in command
        if is_strict and (problem := unmet(self._state, command, "", command["guild"])):
            return problem, []
        if not self._state.has_room_for(command["player"]):
            return {"full" if is_strict else "unavailable": True}, []
        self._state.meet(command["player"])
        self._state.add(command["effects"])
        return ({"drawn": dict(command["drawn"])} if "drawn" in command else {}), command["effects"]

    def _cached(self, command: Json, once: str) -> Json | None:
        """Return the cached response under this key, or that the key was used; None for a new key."""
        reply = self._responses.get(once)
        if reply is None:
            is_counted = self._was_used(once, command["at"]) or self._seen.get(once)
            if not is_counted:
                return None
            # An event without preconditions may be written again: the repeat does not count.
            return {"drawn": {}} if "effects" in command else {"key": "counted"}
        if reply["fingerprint"] != command["fingerprint"]:
            return {"key": "other"}
        if note := self._pending.get(_renamed(command["name"], reply["drawn"]["received_at"])):
            note.is_shared = True
        return reply | {"again": True}

    def _was_used(self, once: str, at: int) -> bool:
        last = self._once.get(once)
        return last is not None and abs(at - last) <= ONCE_SECONDS * 1000

    def _stamp(self, command: Json) -> int:
        """Stamp the command's facts, so that each of them is the latest one; return the time in milliseconds."""
        at = max([int(time() * 1000), *(self._state.since(fact) + 1 for fact in command["facts"])])
        command["facts"] = [replace(fact, stamp=f"{at:013d}{fact.stamp[13:]}") for fact in command["facts"]]
        command["name"] = _renamed(command["name"], at)
        return at

    def project(self, value: bytes) -> None:
        """Apply a record that was written, as the projection does."""
        for record in records([value], lambda names: [name in self._pending for name in names]):
            if self._is_repeat(record):
                self._revert(record["name"])
            elif self._pending.pop(record["name"], None) is None and self._state.has_room_for(record["player"]):
                self._state.meet(record["player"])
                self._state.set_names(record.get("names", {}))
                self._state.add(record["effects"])
                for fact in record["facts"]:
                    if (since := int(fact.stamp[:13])) >= self._state.since(fact):
                        self._state.settle(fact, fact.value, since)

    def _is_repeat(self, record: Record) -> bool:
        """Tell whether the event counted already, by the rule of the views."""
        if not (once := record.get("once")):
            return False
        if not record["is_marked"]:
            is_new = not self._seen.get(once)
            self._seen.set(once, True, SEEN_SECONDS)
            return is_new and self._once.get(once) is not None
        was_used = self._was_used(once, record["at"])
        self._once.set(once, record["at"], ONCE_KEPT_SECONDS)
        return was_used or bool(self._seen.get(once))

    async def revert(self, names: Sequence[str]) -> bool:
        shared = [name for name in names if (note := self._pending.get(name)) and note.is_shared]
        for name in names:
            if name not in shared:
                self._revert(name)
        return not shared

    def _revert(self, name: str) -> None:
        note = self._pending.pop(name, None)
        if note is None:
            return
        self._state.add(note.effects, -1)
        for fact, value, since in note.before:
            self._state.settle(fact, value, since)
        self._state.tire(note.player, -note.stamina)
        if note.once:
            self._responses.drop(note.once)

    async def note_receipt(self, once: str, partition: int, offset: int) -> None:
        self._receipts.set(once, (partition, offset), IDEMPOTENCY_TTL, only_new=True)

    async def receipts(self, onces: Sequence[str]) -> list[tuple[int, int] | None]:
        return [self._receipts.get(once) for once in onces]

    async def note_unconfirmed(self, events: Sequence[Unconfirmed]) -> None:
        for event in events:
            self._unconfirmed.set(event.once, True, RETRY_SECONDS)
            if event.name:
                self._responses.set(event.once, orjson.loads(event.response), RETRY_SECONDS, only_new=True)
                if note := self._pending.get(event.name):
                    note.once = event.once

    async def are_unconfirmed(self, onces: Sequence[str]) -> list[bool]:
        return [bool(self._unconfirmed.get(once)) or self._once.get(once) is not None for once in onces]

    async def claim_name(self, player: str, seconds: int) -> str:
        if self._claims.get(player) is not None:
            return "taken"
        claimed_at = int(time() * 1000)
        self._claims.set(player, claimed_at, seconds)
        return str(claimed_at)

    async def confirm_name(self, player: str, claimed_at: int, seconds: int) -> bool:
        held: Any = self._claims.get(player)
        if held is not None and held < claimed_at:
            return False
        self._claims.set(player, claimed_at, seconds)
        return True


def _renamed(name: str, at: int) -> str:
    """Return the name of a pending event that was received at another time."""
    return re.sub(r"\d+\Z", str(at), name)
