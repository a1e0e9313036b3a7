"""Room in the store: what gives when memory is short, so that what is decided never has to."""

import time

from game_world.store import Store

VISIT_SECONDS = 24 * 3600
"""After this long without a deed, names that did only what depends on nothing are forgotten."""
HIGH = 0.8
"""Of its memory that the store uses, above which visitors are forgotten earlier, and then what else there is."""
FULL = 0.9
"""Above which nobody new comes in."""

_STEP = 200
"""Visitors who are forgotten in one call: others wait meanwhile."""
_STEPS = 100
_PAUSE = 60.0
"""Seconds between two looks for keys that may go, for each looks at all keys; and between two lines of the log."""
_SHARES = (0.5, 0.75, 0.9)
"""Of their life that keys of requests must have left, one tried after another."""


class Room:
    """Every method raises RedisError and StoreRefusedError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked = -_PAUSE
        self._said = -_PAUSE
        self._forgotten = 0
        self.is_full = False

    def forget_old(self) -> None:
        """Forget visitors of long ago, a bounded number."""
        before = self._store.now() - VISIT_SECONDS
        for _ in range(_STEPS):
            if self._store.make_room(before, _STEP, self.is_full) < _STEP:
                return

    def keep(self) -> None:
        """Make room if memory is short, and find out whether there is any."""
        used = self._store.memory()
        if used > HIGH:
            used = self._forget_more()
        is_full = used > FULL
        if is_full or self.is_full:
            self._store.make_room(0, 1, is_full)
        if is_full != self.is_full:
            print("the store is full: nobody new comes in" if is_full else "the store has room again", flush=True)
        self.is_full = is_full

    def _forget_more(self) -> float:
        used = 1.0
        for _ in range(_STEPS):
            number = self._store.make_room(None, _STEP, self.is_full)
            self._forgotten += number
            used = self._store.memory()
            if used <= HIGH or not number:
                break
        now = time.monotonic()
        if self._forgotten and now - self._said >= _PAUSE:
            print(f"memory is short: {self._forgotten} visitors were forgotten early", flush=True)
            self._said, self._forgotten = now, 0
        if used > HIGH and now - self._looked >= _PAUSE:
            self._looked = now
            used = self._drop_keys()
        return used

    def _drop_keys(self) -> float:
        answers, keys = self._store.drop_answers(), 0
        for share in _SHARES:
            if (used := self._store.memory()) <= HIGH:
                break
            keys += self._store.drop_keys(share)
        if answers or keys:
            print(f"memory is short: {answers} answers and {keys} Idempotency-Keys were forgotten early", flush=True)
        return self._store.memory() if keys else used
