"""Verified tokens, so that a signature is checked once and not with every request."""

from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from time import time
from typing import Generic, TypeVar

MOST = 10_000
"""Beyond so many tokens, the one that was added first goes."""

T = TypeVar("T")


class TokenCache(Generic[T]):
    """Holds what tokens prove until they expire, by digests: no token stays in memory."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time) -> None:
        self._most = most
        self._clock = clock
        self._found: dict[bytes, tuple[T, float]] = {}
        self._lock = Lock()
        self._version = 0

    def __len__(self) -> int:
        return len(self._found)

    def get(self, token: str, version: int) -> T | None:
        """Return what the token proves, if that is known under this version of the keys."""
        if version != self._version:
            # A key that was withdrawn must not live on here.
            with self._lock:
                self._found, self._version = {}, version
        found = self._found.get(_digest(token))
        return found[0] if found and found[1] > self._clock() else None

    def add(self, token: str, proven: T, expires: float, version: int) -> None:
        with self._lock:
            if version != self._version:
                return
            self._found[_digest(token)] = (proven, expires)
            while len(self._found) > self._most:
                del self._found[next(iter(self._found))]


def _digest(token: str) -> bytes:
    return blake2b(token.encode(), digest_size=32).digest()
