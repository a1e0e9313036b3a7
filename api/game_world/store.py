"""The store of the world: Redis or Valkey, whose scripts decide and change it, each at once."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any

import orjson
from game_events.event_ids import RETRY_SECONDS
from game_events.rules import MOST_HEALTH, START
from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from game_world.turns import Turns

TOLD_SECONDS = 3600
"""For so long a request that comes again under its Idempotency-Key is told what it was told."""
ONCE_SECONDS = 24 * 3600
"""Events under one key count once while no more than this lies between one and the next, by received_at."""
_ONCE_KEPT_SECONDS = ONCE_SECONDS + 6 * 3600
"""By the store's clock: records may come into the world six hours late."""
_SEEN_SECONDS = 3600
"""By the store's clock: a retry of an unmarked event may come into the world so long after the event."""

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


class Store:
    """Survives a fork before it is first asked."""

    def __init__(self, url: str) -> None:
        self.redis: Redis = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            decode_responses=True,
            # A script that was carried out, though its answer got lost, must not be carried out again.
            retry=Retry(NoBackoff(), 0),
        )
        self._decide = Turns(self.redis, self._script("decide"))
        self._revert, self._project, self._catch_up, self._forget = map(
            self._script, ("revert", "project", "catch_up", "forget")
        )
        self._doubt, self._doubted = map(self._script, ("doubt", "doubted"))

    def _script(self, name: str) -> Script:
        folder = files("game_world") / "scripts"
        text = (folder / "world.lua").read_text() + (folder / f"{name}.lua").read_text()
        for placeholder, value in (
            ("%START%", ", ".join(f"{attribute} = {value}" for attribute, value in START.items())),
            ("%MOST_HEALTH%", str(MOST_HEALTH)),
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

    def project(self, partition: int, offsets: range, records: Iterable[list[Any]]) -> int:
        """Bring the records at these offsets into the world; return the offset to go on at. Raises StoreLostError."""
        position = int(self._project(args=[partition, offsets.start, offsets.stop, orjson.dumps(list(records))]))
        if position < 0:
            raise StoreLostError("the store has lost the world")
        return position

    def begin_at(self, partition: int, offset: int) -> None:
        """Set the next offset of a partition."""
        self.redis.hset("positions", str(partition), offset)

    def positions(self) -> dict[int, int]:
        """Return the next offset of each partition; empty for a world that is new."""
        return {int(partition): int(offset) for partition, offset in self.redis.hgetall("positions").items()}

    def claim(self, topic_id: str) -> bool:
        """Begin anew, unless the world is this topic's already; tell whether it is new."""
        if self.redis.get("topic") == topic_id:
            return False
        self.redis.flushdb()
        self.redis.set("topic", topic_id)
        return True

    def are_pending(self, names: Sequence[str]) -> list[bool]:
        """Tell of each name whether it is pending."""
        return [found is not None for found in self.redis.hmget("pending", names)] if names else []

    def pending(self) -> Iterator[tuple[str, float]]:
        """Yield each pending event's name, and when it was decided, in seconds since the epoch."""
        for name, entry in self.redis.hscan_iter("pending"):
            yield str(name), orjson.loads(entry)["at"] / 1000

    def is_caught_up(self) -> bool:
        return bool(self.redis.exists("caught_up"))

    def set_caught_up(self) -> None:
        """Note that the topic has been read to its end. Raises StoreLostError."""
        if not self._catch_up():
            raise StoreLostError("the store has lost the world")

    def now(self) -> float:
        seconds, microseconds = self.redis.time()
        return float(seconds) + microseconds / 1e6

    def tell(self, events: Sequence[bytes]) -> None:
        """Add to the feed."""
        with self.redis.pipeline(transaction=False) as pipeline:
            for event in events:
                pipeline.xadd("feed", {"event": event}, maxlen=_FEED, approximate=True)
            pipeline.execute()

    def forget(self, player: str) -> None:
        """Remove a player, and whatever names him."""
        self._forget(args=[player])
