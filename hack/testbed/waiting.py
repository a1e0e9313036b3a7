"""Waiting for a condition."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(what: str, probe: Callable[[], T | None], timeout: float = 240, pause: float = 0.2) -> T:
    """Wait until `probe` returns something true, and return it; TimeoutError names `what` and the last value seen."""
    deadline = time.monotonic() + timeout
    while not (seen := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s for {what}; last seen: {seen!r}")
        time.sleep(pause)
    return seen
