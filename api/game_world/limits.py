"""Rate limits per player and per address. The store's script counts; while it is unavailable each process does."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Lock
from time import monotonic
from typing import NamedTuple

UNKNOWN = "unknown"
"""The client of everything that is no address: all of it shares one limit."""

_MOST = 10_000
"""Buckets that a process keeps. Beyond that it drops those that are full again, and all players' if none is."""


class Limit(NamedTuple):
    """So many requests a second, and a burst of so many; a rate of 0 means no limit."""

    rate: int
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


class LocalBuckets:
    """The buckets of this process, by the same rule as in decide.lua."""

    def __init__(self) -> None:
        self._full: dict[str, float] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._full)

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
