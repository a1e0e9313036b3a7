"""Limits: how many requests, of a player and of an address. The store's script counts; without it each process does."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Lock
from time import monotonic
from typing import NamedTuple

UNKNOWN = "unknown"
"""Whose limit counts for an address that is none: all of them share one."""

_MOST = 10_000
"""Buckets that a process keeps; beyond that, those that are full again go, and all if none is."""


class Limit(NamedTuple):
    """So many requests a second, and so many at once; a rate of 0 is no limit."""

    rate: int
    burst: int


Bucket = tuple[str, int, int, int]
"""A bucket's name, the microseconds that bring a token back, how many it holds; and how many a request takes."""


class Exceeded(NamedTuple):
    limit: str
    wait: float
    """Microseconds."""


class LocalBuckets:
    """The buckets of this process, as decide.lua has them."""

    def __init__(self) -> None:
        self._full: dict[str, float] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._full)

    def take(self, buckets: list[Bucket]) -> Exceeded | None:
        """Take what a request costs, all of it or nothing."""
        now = monotonic() * 1e6
        with self._lock:
            fulls = {}
            for name, interval, burst, cost in buckets:
                full = max(self._full.get(name, 0.0), now)
                wait = full - now - (burst - min(cost, burst)) * interval
                if wait > 0:
                    return Exceeded(name, wait)
                fulls[name] = full + cost * interval
            self._full |= fulls
            if len(self._full) > _MOST:
                self._full = {name: full for name, full in self._full.items() if full > now}
            if len(self._full) > _MOST:
                # Those of the addresses are few, and stop who made up the others.
                self._full = {name: full for name, full in self._full.items() if name.startswith("limit:address:")}
        return None


@lru_cache(4096)
def client(address: str) -> str:
    """Return whose limit counts: of an IPv6 address the network, in which a client has addresses without end.

    A proxy may have put the port behind it.
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
