"""Values that are kept for a time, and a bounded number of them."""

from time import monotonic
from typing import Generic, TypeVar

V = TypeVar("V")

MOST = 10_000
"""Values that are kept at most: the oldest one gives way."""


class Kept(Generic[V]):
    def __init__(self) -> None:
        self._values: dict[str, tuple[float, V]] = {}

    def get(self, name: str) -> V | None:
        until, value = self._values.get(name, (0.0, None))
        return value if until > monotonic() else None

    def set(self, name: str, value: V, seconds: float, only_new: bool = False) -> None:
        """Keep a value for so long; `only_new` keeps an existing one."""
        if only_new and self.get(name) is not None:
            return
        self._values.pop(name, None)
        self._values[name] = (monotonic() + seconds, value)
        if len(self._values) > MOST:
            del self._values[next(iter(self._values))]

    def drop(self, name: str) -> None:
        self._values.pop(name, None)
