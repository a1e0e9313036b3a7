"""Rate limits per player and per address. The store's script counts; while it is unavailable each process does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Lock
from time import monotonic
from typing import NamedTuple

UNKNOWN = "unknown"
"""The client of everything that is no address: all of it shares one limit."""

ANONYMOUS = "anonymous"
"""In the name of an address's bucket: that of requests without a credential."""

_MOST = 10_000
"""Buckets that a process keeps. Beyond that it drops those that are full again, and all players' if none is."""


class Limit(NamedTuple):
    """So many requests a second, and a burst of so many; a rate of 0 means no limit."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket, and what a request takes from it."""

    name: str
    interval: int
    """Microseconds until a token is back."""
    burst: int
    """Tokens that it holds."""
    cost: int = 1


class Exceeded(NamedTuple):
    limit: str
    wait: float
    """Microseconds."""


class Level(NamedTuple):
    """How full a bucket is."""

    burst: int
    window: float
    """Seconds in which an empty one is full."""
    left: int
    """Tokens."""
    wait: float
    """Seconds until it is full."""


class Meter:
    """Notes how full the buckets are that a request takes from, for its sender to know.

    `levels` has those of the player, the address and so on; of several players that of the one who has the least left.
    """

    def __init__(self) -> None:
        self.levels: dict[str, Level] = {}

    def note(self, buckets: Sequence[Bucket], fulls: Sequence[float]) -> None:
        """Note in how many microseconds the buckets are full; those without a number are not known."""
        for bucket, full in zip(buckets, fulls, strict=False):
            window = bucket.burst * bucket.interval
            level = Level(bucket.burst, window / 1e6, max(0, int((window - full) // bucket.interval)), full / 1e6)
            _, kind, *more = bucket.name.split(":")
            name = ANONYMOUS if more[0] == ANONYMOUS and len(more) > 1 and kind == "address" else kind
            if name not in self.levels or level.left < self.levels[name].left:
                self.levels[name] = level


class LocalBuckets:
    """The buckets of this process, by the same rule as in decide.lua."""

    def __init__(self) -> None:
        self._full: dict[str, float] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._full)

    def fulls(self, buckets: Sequence[Bucket]) -> list[float]:
        """Return in how many microseconds each bucket is full."""
        now = monotonic() * 1e6
        return [max(0.0, self._full.get(bucket.name, 0.0) - now) for bucket in buckets]

    def take(self, buckets: list[Bucket]) -> Exceeded | None:
        """Take the cost from every bucket, or from none."""
        now = monotonic() * 1e6
        with self._lock:
            fulls = {}
            for bucket in buckets:
                full = max(self._full.get(bucket.name, 0.0), now)
                wait = full - now - (bucket.burst - min(bucket.cost, bucket.burst)) * bucket.interval
                if wait > 0:
                    return Exceeded(bucket.name, wait)
                fulls[bucket.name] = full + bucket.cost * bucket.interval
            self._full |= fulls
            if len(self._full) > _MOST:
                self._full = {name: full for name, full in self._full.items() if full > now}
            if len(self._full) > _MOST:
                # Addresses are few, and their limits stop clients that invent players.
                self._full = {name: full for name, full in self._full.items() if name.startswith("limit:address:")}
        return None


@lru_cache(4096)
def client(address: str) -> str:
    """Return whose limit counts: the address, or the network of an IPv6 address, as a client has many in one.

    A proxy may have appended the port.
    """
    host = address.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
