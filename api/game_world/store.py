"""The store of the world: Redis or Valkey, whose scripts decide and change it, each at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import Any

import orjson
from game_events.event_ids import RETRY_SECONDS
from game_events.rules import MOST_HEALTH, START
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import OutOfMemoryError, RedisError
from redis.retry import Retry

from game_world.batching import Turns

TOLD_SECONDS = 3600
"""For so long a request that comes again under its Idempotency-Key is told what it was told."""
ONCE_SECONDS = 24 * 3600
"""Events under one key count once while no more than this lies between one and the next, by received_at."""
_ONCE_KEPT_SECONDS = ONCE_SECONDS + 6 * 3600
"""By the store's clock: records may come into the world six hours late."""
_SEEN_SECONDS = 2 * RETRY_SECONDS
"""By the store's clock: a retry of an unmarked event may come into the world so long after the event."""
_KEPT = {"once:": _ONCE_KEPT_SECONDS, "seen:": _SEEN_SECONDS}
"""For how long the store knows of requests, by the prefix of their keys."""

PREFIX = "gamelake:"
"""With this every key of the world begins: a store may have others' keys beside them once the world is there."""
EVICTION = "noeviction"
"""The only policy under which no key is lost in silence: a lost one would be decided and paid again."""

_OLD_MARKER = "topic"
"""Where a world whose keys had no prefix has its topic's id."""
_OLD_KEYS = frozenset({_OLD_MARKER, "pending", "positions", "caught_up", "feed"})
_OLD_KINDS = ("hero:", "guild:", "members:", "board:", "ties:", "limit:", "once:", "told:")
_STEP = 1000
"""Keys that are looked at, or removed, in one call."""

MOST_TIES = 200
"""Of a hero: of more the latest hold."""
MOST_ITEMS = 500
"""Kinds that a hero has at most."""
# A tie and its stamp are two fields; a guild with its stamp, and attributes.
_MOST_FIELDS = MOST_ITEMS + 2 * MOST_TIES + 2 + len(START)

_TIMEOUT = 1.0
"""Seconds that the store may take to answer."""
_FEED = 500
"""Events that the feed keeps."""

Json = dict[str, Any]
Doubt = list[str]
"""What an event is counted once by; of one that was not marked idempotent, its name among the pending ones and what a
retry is to be told, as JSON."""


class StoreLostError(RedisError):
    """The store has become empty: the world begins anew."""


class StoreRefusedError(Exception):
    """The store is no place for the world; only its owner can help."""


class Store:
    """Survives a fork before it is first asked."""

    def __init__(self, url: str) -> None:
        self.redis: Redis = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            decode_responses=True,
            # Keys of others may have any bytes for names.
            encoding_errors="backslashreplace",
            # A script that was carried out, though its answer got lost, must not be carried out again.
            retry=Retry(NoBackoff(), 0),
        )
        self._decide = Turns(self.redis, self._script("decide"))
        self._revert, self._project, self._catch_up, self._forget, self._make_room, self._begin_at = map(
            self._script, ("revert", "project", "catch_up", "forget", "make_room", "begin_at")
        )
        self._doubt, self._doubted = map(self._script, ("doubt", "doubted"))

    def _script(self, name: str) -> Script:
        folder = files("game_world") / "scripts"
        text = (folder / "world.lua").read_text() + (folder / f"{name}.lua").read_text()
        for placeholder, value in (
            ("%PREFIX%", PREFIX),
            ("%START%", ", ".join(f"{attribute} = {value}" for attribute, value in START.items())),
            ("%MOST_HEALTH%", str(MOST_HEALTH)),
            ("%MOST_TIES%", str(MOST_TIES)),
            ("%MOST_FIELDS%", str(_MOST_FIELDS)),
            ("%TOLD_SECONDS%", str(TOLD_SECONDS)),
            ("%ONCE_SECONDS%", str(ONCE_SECONDS)),
            ("%ONCE_KEPT_SECONDS%", str(_ONCE_KEPT_SECONDS)),
            ("%SEEN_SECONDS%", str(_SEEN_SECONDS)),
            ("%RETRY_SECONDS%", str(RETRY_SECONDS)),
        ):
            text = text.replace(placeholder, value)
        return self.redis.register_script(text)

    def decide(self, deed: Json) -> Json:
        """Decide a deed, or only the limits if it has no name."""
        answer = self._decide.ask(orjson.dumps(deed))
        return dict(orjson.loads(answer)) if answer else {}

    def revert(self, names: Sequence[str], shared: bool = False) -> bool:
        """Take back what pending events did, of those that several requests share only if told so.

        Return whether none is left.
        """
        return not self._revert(args=["shared" if shared else "own", *names])

    def doubt(self, doubts: Sequence[Doubt]) -> None:
        """Note events that may be in the topic though nobody was told so."""
        self._doubt(args=[orjson.dumps(doubt) for doubt in doubts])

    def are_doubted(self, onces: Sequence[str]) -> list[bool]:
        """Tell of each, by what it is counted once by, whether a record of it may be in the topic."""
        return [found == 1 for found in self._doubted(args=list(onces))]

    def project(self, partition: int, offsets: range, records: Iterable[list[Any]], is_full: bool = False) -> int:
        """Bring the records at these offsets into the world; return the offset to go on at. Raises StoreLostError.

        Into a full world new names come only by what is decided.
        """
        found = orjson.dumps(list(records))
        position = int(self._project(args=[partition, offsets.start, offsets.stop, found, "full" if is_full else ""]))
        if position < 0:
            raise StoreLostError("the store has lost the world")
        return position

    def begin_at(self, partition: int, offset: int) -> None:
        """Set the next offset of a partition."""
        self._begin_at(args=[partition, offset])

    def positions(self) -> dict[int, int]:
        """Return the next offset of each partition; empty for a world that is new."""
        return {int(partition): int(offset) for partition, offset in self.redis.hgetall(key("positions")).items()}

    def claim(self, topic_id: str) -> bool:
        """Begin the world of this topic, unless it is here already; tell whether it is new.

        Of another topic's world only the world's own keys are removed. Raises StoreRefusedError.
        """
        self._memory()
        known = self.redis.get(key("topic"))
        if known == topic_id:
            return False
        is_old = self._is_old_world(topic_id)
        if known is None and not is_old:
            self._check_keys()
        # Without these nothing is decided: what is decided between two steps would lose a part of it.
        self.redis.unlink(key("topic"), key("caught_up"), key("positions"))
        self._remove(f"{PREFIX}*", lambda _: True)
        if is_old:
            self._remove("*", lambda name: _is_old(name) and name != _OLD_MARKER)
        self.redis.set(key("topic"), topic_id)
        if is_old:
            self.redis.unlink(_OLD_MARKER)
        return True

    def _memory(self) -> Json:
        """Return what the store says of its memory; if it may drop keys decide nothing more, and raise."""
        found = dict(self.redis.info("memory"))
        policy = found.get("maxmemory_policy", EVICTION)
        if policy != EVICTION:
            self.redis.unlink(key("caught_up"))
            raise StoreRefusedError(f"maxmemory-policy of the store: expected {EVICTION}, got {policy}")
        return found

    def _check_keys(self) -> None:
        for names in self._scan("*"):
            if others := [name for name in names if not name.startswith(PREFIX)]:
                shown = ", ".join(repr(name) for name in sorted(others)[:3])
                raise StoreRefusedError(
                    f"WORLD_URL: expected an empty store, or one with a world in it (key {key('topic')!r}), got one "
                    f"with keys of others, such as {shown}: name another store or database number "
                    "(redis://HOST:PORT/1), or empty this one (FLUSHDB) if nobody needs it"
                )

    def _is_old_world(self, topic_id: str) -> bool:
        return self.redis.type(_OLD_MARKER) == "string" and self.redis.get(_OLD_MARKER) == topic_id

    def _remove(self, pattern: str, is_ours: Callable[[str], bool]) -> int:
        removed = 0
        for names in self._scan(pattern):
            if ours := [name for name in names if is_ours(name)]:
                removed += int(self.redis.unlink(*ours))
        return removed

    def _scan(self, pattern: str) -> Iterator[list[str]]:
        """Yield the names of keys, a bounded number looked at for each."""
        cursor = 0
        while True:
            cursor, names = self.redis.scan(cursor, pattern, _STEP)
            yield [str(name) for name in names]
            if not int(cursor):
                return

    def are_pending(self, names: Sequence[str]) -> list[bool]:
        """Tell of each name whether it is pending."""
        return [found is not None for found in self.redis.hmget(key("pending"), names)] if names else []

    def pending(self) -> Iterator[tuple[str, float]]:
        """Yield each pending event's name, and when it was decided, in seconds since the epoch."""
        for name, entry in self.redis.hscan_iter(key("pending")):
            yield str(name), orjson.loads(entry)["at"] / 1000

    def is_caught_up(self) -> bool:
        return bool(self.redis.exists(key("caught_up")))

    def set_caught_up(self) -> None:
        """Note that the topic has been read to its end. Raises StoreLostError."""
        if not self._catch_up():
            raise StoreLostError("the store has lost the world")

    def now(self) -> float:
        seconds, microseconds = self.redis.time()
        return float(seconds) + microseconds / 1e6

    def memory(self) -> float:
        """Return the share of its memory that the store uses; 0 when it has no bound. Raises StoreRefusedError."""
        found = self._memory()
        # What the store writes to its file, and to replicas, does not count: it takes no key's place.
        used = found["used_memory"] - found["mem_not_counted_for_evict"]
        return used / found["maxmemory"] if found["maxmemory"] else 0.0

    def make_room(self, before: float | None, most: int, is_full: bool) -> int:
        """Forget visitors who were not seen since `before`, in seconds, all if None; note whether there is room.

        Return how many were forgotten.
        """
        moment = "+inf" if before is None else f"({before * 1000:.0f}"
        return int(self._make_room(args=[moment, most, "full" if is_full else ""]))

    def drop_answers(self) -> int:
        """Drop what requests under a key were told; return how many. Such a request that comes again is refused."""
        return self._remove(key("told:*"), lambda _: True)

    def drop_keys(self, share: float) -> int:
        """Drop the keys of requests that have no more than this share of their life left; return how many."""
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

    def tell(self, events: Sequence[bytes]) -> None:
        """Add to the feed, which a store without memory does without."""
        with self.redis.pipeline(transaction=False) as pipeline:
            for event in events:
                pipeline.xadd(key("feed"), {"event": event}, maxlen=_FEED, approximate=True)
            with suppress(OutOfMemoryError):
                pipeline.execute()

    def forget(self, player: str) -> None:
        """Remove a player, and whatever names him."""
        self._forget(args=[player])


def key(name: str) -> str:
    """Return the key of a part of the world, as world.lua names them."""
    return PREFIX + name


def _is_old(name: str) -> bool:
    return name in _OLD_KEYS or name.startswith(_OLD_KINDS)
