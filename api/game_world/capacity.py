"""Capacity of the store: what is dropped when memory is short, so that decided events never have to be."""

import logging
import time

from game_world.store import Store

_log = logging.getLogger(__name__)

VISIT_SECONDS = 24 * 3600
"""Visitors are forgotten after so long: players whose actions all had no precondition."""
HIGH = 0.8
"""Share of the store's memory above which visitors are forgotten earlier, and then cached responses and keys."""
FULL = 0.9
"""Share above which the world takes no new names."""

_STEP = 200
"""Visitors who are forgotten in one call: other calls wait meanwhile."""
_STEPS = 100
_PAUSE = 60.0
"""Seconds between two searches for keys to drop, as each scans all keys; and between two log lines."""
_SHARES = (0.5, 0.75, 0.9)
"""Keys of requests with at most this share of their life left are dropped, one share tried after another."""


class Capacity:
    """Every method raises RedisError and StoreRefusedError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._searched = -_PAUSE
        self._logged = -_PAUSE
        self._forgotten = 0
        self.is_full = False

    def forget_old(self) -> None:
        """Forget visitors of long ago, a bounded number."""
        before = self._store.now() - VISIT_SECONDS
        for _ in range(_STEPS):
            if self._store.evict(before, _STEP, self.is_full) < _STEP:
                return

    def keep(self) -> None:
        """Free memory if it is short, and note whether the store is full."""
        used = self._store.memory()
        if used > HIGH:
            used = self._free()
        is_full = used > FULL
        if is_full or self.is_full:
            self._store.evict(0, 1, is_full)
        if is_full != self.is_full:
            _log.warning("the store is full: no new names" if is_full else "the store has memory again")
        self.is_full = is_full

    def _free(self) -> float:
        used = 1.0
        for _ in range(_STEPS):
            number = self._store.evict(None, _STEP, self.is_full)
            self._forgotten += number
            used = self._store.memory()
            if used <= HIGH or not number:
                break
        now = time.monotonic()
        if self._forgotten and now - self._logged >= _PAUSE:
            _log.warning(f"memory is short: {self._forgotten} visitors were forgotten early")
            self._logged, self._forgotten = now, 0
        if used > HIGH and now - self._searched >= _PAUSE:
            self._searched = now
            used = self._drop_keys()
        return used

    def _drop_keys(self) -> float:
        responses, keys = self._store.drop_responses(), 0
        for share in _SHARES:
            if (used := self._store.memory()) <= HIGH:
                break
            keys += self._store.drop_keys(share)
        if responses or keys:
            _log.warning(
                f"memory is short: {responses} cached responses and {keys} Idempotency-Keys were dropped early"
            )
        return self._store.memory() if keys else used
