"""The store of the world: Valkey or Redis. Each of its scripts runs atomically."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Any
from uuid import uuid4

import orjson
from game_events.event_ids import RETRY_SECONDS
from game_events.rules import LEVEL_EXPERIENCE, MOST_HEALTH, MOST_STAMINA, STAMINA_SECONDS, START
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import OutOfMemoryError, RedisError
from redis.retry import Retry

from game_world.records import Record

IDEMPOTENCY_TTL = 3600
"""Seconds for which a response is cached for retries under its Idempotency-Key."""
ONCE_SECONDS = 24 * 3600
"""Events under one key count once while no two in a row are further apart than this, by received_at."""
ONCE_KEPT_SECONDS = ONCE_SECONDS + 6 * 3600
"""By the store's clock: records may be applied six hours late."""
SEEN_SECONDS = 2 * RETRY_SECONDS
"""By the store's clock: a retry of an event without a key may be applied so long after the event."""
_KEPT = {"once:": ONCE_KEPT_SECONDS, "seen:": SEEN_SECONDS}
"""Seconds for which the store remembers requests, by the prefix of their keys."""

_OWN = "gamelake:"
"""Every key of the world begins with this. Once a world exists, the store may also hold keys of others."""
PREFIX = f"{_OWN}v3:"
"""It names the layout: releases whose layouts differ do not read each other's keys, and rebuild the world instead."""
_SAVED_KEYS = tuple(PREFIX + kind for kind in ("hero:", "guild:", "claim:", *_KEPT))
"""How the keys begin that a snapshot holds."""
EVICTION = "noeviction"
"""The only policy under which no key is lost silently: an event whose key is lost would be decided and paid again."""

_EARLIER = f"{_OWN}v2:"
"""The layout before this one."""
_OLD_MARKER = "topic"
"""The topic's id in the first layout, which had no prefix."""
_OLD_KEYS = frozenset({_OLD_MARKER, "pending", "positions", "caught_up", "feed"})
_OLD_KINDS = ("hero:", "guild:", "members:", "board:", "ties:", "limit:", "once:", "told:")
_STEP = 1000
"""Keys that one call scans or removes."""
_SAVED = 100
"""Keys that one call reads for a snapshot: other calls wait meanwhile."""
_MAKING_SECONDS = 15
"""Seconds without a step after which another projection may make the world."""

MOST_TIES = 200
"""Of a hero: the latest ones hold."""
MOST_ITEMS = 500
"""Kinds of items that a hero has at most."""
# A tie and its stamp are two fields, as are a guild and its stamp.
_MOST_FIELDS = MOST_ITEMS + 2 * MOST_TIES + 2 + len(START)

_MOST_LEAD = 60_000
"""Milliseconds by which the stamp of a fact may be ahead of the store's time, to be later than the one before."""

TIMEOUT = 1.0
"""Seconds to wait for the store."""
_FEED = 500
"""Events that the event feed keeps."""

_BUSY = "another projection makes the world"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """An event that may be in the topic, by what it is counted once by."""

    once: str
    name: str = ""
    """Only without an Idempotency-Key: its name among the pending events."""
    response: str = ""
    """Only without an Idempotency-Key: what a retry gets, as JSON."""


class StoreLostError(RedisError):
    """The store has lost the world: it is rebuilt from the topic."""


class StoreBusyError(RedisError):
    """Another projection makes the world."""


class StoreRefusedError(Exception):
    """The store cannot hold the world until its owner changes something."""


class Store:
    """Survives a fork before its first use."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redis: Redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            decode_responses=True,
            # The names of others' keys may be any bytes.
            encoding_errors="backslashreplace",
            # A script that ran must not run again only because its reply was lost.
            retry=Retry(NoBackoff(), 0),
        )
        self._decide = self._script("decide")
        self._revert = self._script("revert")
        self._project = self._script("project")
        self._begin_at = self._script("begin_at")
        self._catch_up = self._script("catch_up")
        self._forget = self._script("forget")
        self._evict = self._script("evict")
        self._save = self._script("save")
        self._make = self._script("make")
        self._restore = self._script("restore")
        self._begin = self._script("begin")
        self._note_unconfirmed = self._script("note_unconfirmed")
        self._find_unconfirmed = self._script("find_unconfirmed")

    def _script(self, name: str) -> Script:
        return self.redis.register_script(script_text(name))

    def decide(self, command: Json) -> Json:
        """Decide a command, or only its limits if it has no name."""
        [reply] = self._decide(args=[orjson.dumps(command)])
        return dict(orjson.loads(reply)) if reply else {}

    def revert(self, names: Sequence[str], shared: bool = False) -> bool:
        """Revert pending events, but only if `shared` those that several requests wrote; return whether all were."""
        return not self._revert(args=["shared" if shared else "own", *names])

    def note_unconfirmed(self, events: Sequence[Unconfirmed]) -> None:
        """Note events that may be in the topic although no response said so."""
        self._note_unconfirmed(args=[orjson.dumps(filled(event)) for event in events])

    def are_unconfirmed(self, onces: Sequence[str]) -> list[bool]:
        """Return for each event, by what it is counted once by, whether a record of it may be in the topic."""
        return [found == 1 for found in self._find_unconfirmed(args=list(onces))]

    def project(self, partition: int, offsets: range, records: Sequence[Record], is_full: bool = False) -> int:
        """Apply the records at these offsets; return the offset to continue at. Raises StoreLostError.

        A full world takes new names only from decided events.
        """
        found = orjson.dumps(records)
        position = int(self._project(args=[partition, offsets.start, offsets.stop, found, "full" if is_full else ""]))
        if position < 0:
            raise StoreLostError("the store has lost the world")
        return position

    def begin_at(self, topic_id: str, partition: int, known: int | None, offset: int) -> None:
        """Set the next offset of a partition, which is `known`. Raises StoreLostError."""
        if not self._begin_at(args=[topic_id, partition, "" if known is None else known, offset]):
            raise StoreLostError("the store has lost the world")

    def positions(self) -> dict[int, int]:
        """Return the next offset of each partition; none for a new world."""
        return {int(partition): int(offset) for partition, offset in self.redis.hgetall(key("positions")).items()}

    def holds(self, topic_id: str) -> bool:
        """Return whether the store has the world of this topic."""
        return self.redis.get(key("topic")) == topic_id

    def claim(self, topic_id: str, fill: Callable[[str], Mapping[int, int]] | None = None, again: bool = False) -> bool:
        """Begin the world of this topic; return False if the store holds it, unless it shall begin `again`.

        Before anything is decided in a new world, `fill` may restore it by `restore`, which takes the given token; it
        returns the next offsets of the partitions. A world of another topic or layout is removed, but neither claims of
        names nor keys of others. Raises StoreRefusedError, and StoreBusyError if another projection begins the world.
        """
        self._memory()
        known = self.redis.get(key("topic"))
        if known == topic_id and not again:
            return False
        is_old = self._is_old_world(topic_id)
        if known is None and not is_old and not self.redis.exists(f"{_EARLIER}topic", f"{_OWN}topic"):
            self._check_keys()
        token = str(uuid4())
        self._go_on(token)
        # Without these nothing is decided: an event that is decided between two steps would be lost in part.
        decisive = ("topic", "caught_up", "positions")
        self.redis.unlink(*(f"{prefix}{name}" for prefix in (PREFIX, _EARLIER, _OWN) for name in decisive))
        kept = (key("claim:"), key("making"))
        self._remove(f"{_OWN}*", lambda name: not name.startswith(kept), lambda: self._go_on(token))
        if is_old:
            self._remove("*", lambda name: _is_old(name) and name != _OLD_MARKER, lambda: self._go_on(token))
        positions = fill(token) if fill else {}
        places = (str(number) for place in positions.items() for number in place)
        if not self._begin(args=[token, topic_id, *places]):
            raise StoreBusyError(_BUSY)
        if is_old:
            self.redis.unlink(_OLD_MARKER)
        return True

    def _go_on(self, token: str) -> None:
        if not self._make(args=[token]):
            raise StoreBusyError(_BUSY)

    def save(self) -> Iterator[list[str]]:
        """Yield what a snapshot holds, as JSON objects, a bounded number at a time.

        Nothing may be projected meanwhile, but anything may be decided.
        """
        for found in self._scan(key("*")):
            # A scan may find a key twice, which does no harm.
            names = [name.removeprefix(PREFIX) for name in found if name.startswith(_SAVED_KEYS)]
            for first in range(0, len(names), _SAVED):
                yield list(self._save(args=names[first : first + _SAVED]))

    def restore(self, token: str, entries: Sequence[bytes]) -> None:
        """Restore what `save` yielded, in a world that begins. Raises StoreBusyError."""
        if not self._restore(args=[token, *entries]):
            raise StoreBusyError(_BUSY)

    def _memory(self) -> Json:
        """Return the store's figures about memory; if it may evict keys, stop all decisions and raise."""
        found = dict(self.redis.info("memory"))
        policy = found.get("maxmemory_policy", EVICTION)
        if policy != EVICTION:
            self.unset_caught_up()
            raise StoreRefusedError(f"maxmemory-policy of the store: expected {EVICTION}, got {policy}")
        return found

    def _check_keys(self) -> None:
        for names in self._scan("*"):
            if others := [name for name in names if not name.startswith(_OWN)]:
                shown = ", ".join(repr(name) for name in sorted(others)[:3])
                raise StoreRefusedError(
                    f"WORLD_URL: expected an empty store, or one with a world in it (key {key('topic')!r}), got one "
                    f"with keys of others, such as {shown}: use another store or database number "
                    "(redis://HOST:PORT/1), or empty this one (FLUSHDB) if nobody needs it"
                )

    def _is_old_world(self, topic_id: str) -> bool:
        return self.redis.type(_OLD_MARKER) == "string" and self.redis.get(_OLD_MARKER) == topic_id

    def _remove(
        self, pattern: str, is_ours: Callable[[str], bool], before_step: Callable[[], None] = lambda: None
    ) -> int:
        removed = 0
        for names in self._scan(pattern):
            before_step()
            if ours := [name for name in names if is_ours(name)]:
                removed += int(self.redis.unlink(*ours))
        return removed

    def _scan(self, pattern: str) -> Iterator[list[str]]:
        """Yield the names of keys in batches; each call scans a bounded number."""
        cursor = 0
        while True:
            cursor, names = self.redis.scan(cursor, pattern, _STEP)
            yield [str(name) for name in names]
            if not int(cursor):
                return

    def are_pending(self, names: Sequence[str]) -> list[bool]:
        """Return for each name whether it is pending."""
        return [found is not None for found in self.redis.hmget(key("pending"), names)] if names else []

    def pending(self) -> Iterator[tuple[str, float]]:
        """Yield the name of each pending event, and when it was decided, in seconds since the epoch."""
        for name, entry in self.redis.hscan_iter(key("pending")):
            yield str(name), orjson.loads(entry)["at"] / 1000

    def count_pending(self) -> int:
        return int(self.redis.hlen(key("pending")))

    def is_caught_up(self) -> bool:
        return bool(self.redis.exists(key("caught_up")))

    def set_caught_up(self) -> None:
        """Note that the topic has been read to its end. Raises StoreLostError."""
        if not self._catch_up():
            raise StoreLostError("the store has lost the world")

    def unset_caught_up(self) -> None:
        """Note that the world lacks events: nothing is decided until it has caught up."""
        self.redis.unlink(key("caught_up"))

    def now(self) -> float:
        seconds, microseconds = self.redis.time()
        return float(seconds) + microseconds / 1e6

    def memory(self) -> float:
        """Return the share of its memory that the store uses; 0 if it has no limit. Raises StoreRefusedError."""
        used, limit = self.memory_bytes()
        return used / limit if limit else 0.0

    def memory_bytes(self) -> tuple[int, int]:
        """Return how much memory counts for the store's limit, and the limit; 0: none. Raises StoreRefusedError."""
        found = self._memory()
        # Buffers for files and replicas do not count: they take no key's place.
        return found["used_memory"] - found["mem_not_counted_for_evict"], found["maxmemory"]

    def evict(self, before: float | None, most: int, is_full: bool) -> int:
        """Forget visitors not seen since `before`, in seconds, or any if None; note whether the store is full.

        Return how many were forgotten.
        """
        moment = "+inf" if before is None else f"({before * 1000:.0f}"
        return int(self._evict(args=[moment, most, "full" if is_full else ""]))

    def drop_responses(self) -> int:
        """Drop all cached responses; return how many. Retries of those requests are refused."""
        return self._remove(key("response:*"), lambda _: True)

    def drop_keys(self, share: float) -> int:
        """Drop the keys of requests with at most this share of their life left; return how many."""
        return sum(self._drop_old(kind, share * life) for kind, life in _KEPT.items())

    def _drop_old(self, kind: str, seconds: float) -> int:
        dropped = 0
        for names in self._scan(key(f"{kind}*")):
            with self.redis.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.ttl(name)
                old = [name for name, left in zip(names, pipeline.execute(), strict=True) if left <= seconds]
            if old:
                dropped += int(self.redis.unlink(*old))
        return dropped

    def feed(self, events: Sequence[bytes]) -> None:
        """Add to the event feed, unless memory is full."""
        with self.redis.pipeline(transaction=False) as pipeline:
            for event in events:
                pipeline.xadd(key("feed"), {"event": event}, maxlen=_FEED, approximate=True)
            with suppress(OutOfMemoryError):
                pipeline.execute()

    def set_stamina(self, seconds: int) -> None:
        """Set the seconds until one stamina is back; 0 if actions shall take none."""
        name, interval = key("stamina_interval"), str(seconds * 1_000_000)
        # A full store takes no writes.
        if self.redis.get(name) != interval:
            self.redis.set(name, interval)

    def stamina(self, player: str) -> int:
        """Return how much stamina a player has."""
        rested, interval = self.redis.mget(key(f"stamina:{player}"), key("stamina_interval"))
        each = STAMINA_SECONDS * 1_000_000 if interval is None else int(interval)
        missing = max(0.0, int(rested or 0) - self.now() * 1e6)
        return MOST_STAMINA - ceil(missing / each) if each else MOST_STAMINA

    def forget(self, player: str) -> int:
        """Remove a player, and everything that names them but snapshots; return the number of this forgetting.

        Raises StoreLostError while the world is being rebuilt.
        """
        if not (number := int(self._forget(args=[player]))):
            raise StoreLostError("the world is being rebuilt")
        return number

    def forgettings(self) -> tuple[int, int]:
        """Return how many players were forgotten, and up to which of them no snapshot names them."""
        forgotten, purged = self.redis.mget(key("forgettings"), key("purged"))
        return int(forgotten or 0), int(purged or 0)

    def set_purged(self, number: int) -> None:
        """Note that no snapshot names the players of the forgettings up to this one."""
        self.redis.set(key("purged"), number)


def key(name: str) -> str:
    """Return a key of the world by its name in world.lua."""
    return PREFIX + name


def _is_old(name: str) -> bool:
    return name in _OLD_KEYS or name.startswith(_OLD_KINDS)


def filled(event: Unconfirmed) -> Json:
    """Return the event in the form that note_unconfirmed.lua takes."""
    return {name: value for name in ("once", "name", "response") if (value := getattr(event, name))}


@cache
def script_text(name: str) -> str:
    """Return a script of the store, after the functions that all of them share."""
    folder = files("game_world") / "scripts"
    text = (folder / "world.lua").read_text() + (folder / f"{name}.lua").read_text()
    for placeholder, value in (
        ("%PREFIX%", PREFIX),
        ("%START%", ", ".join(f"{attribute} = {value}" for attribute, value in START.items())),
        ("%MOST_HEALTH%", str(MOST_HEALTH)),
        ("%LEVEL_EXPERIENCE%", str(LEVEL_EXPERIENCE)),
        ("%MOST_STAMINA%", str(MOST_STAMINA)),
        ("%STAMINA_INTERVAL%", str(STAMINA_SECONDS * 1_000_000)),
        ("%MOST_LEAD%", str(_MOST_LEAD)),
        ("%MAKING_SECONDS%", str(_MAKING_SECONDS)),
        ("%MOST_TIES%", str(MOST_TIES)),
        ("%MOST_FIELDS%", str(_MOST_FIELDS)),
        ("%IDEMPOTENCY_TTL%", str(IDEMPOTENCY_TTL)),
        ("%ONCE_SECONDS%", str(ONCE_SECONDS)),
        ("%ONCE_KEPT_SECONDS%", str(ONCE_KEPT_SECONDS)),
        ("%SEEN_SECONDS%", str(SEEN_SECONDS)),
        ("%RETRY_SECONDS%", str(RETRY_SECONDS)),
    ):
        text = text.replace(placeholder, value)
    return text
