"""How long to wait before the next attempt."""

import time
from email.utils import parsedate_to_datetime
from random import Random

_FIRST_SECONDS = 1.0
_MOST_SECONDS = 300.0


class Backoff:
    """A random time that doubles with each failure, and never less than the service asked for."""

    def __init__(self, random: Random, first: float = _FIRST_SECONDS) -> None:
        self._random = random
        self._first = first
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def seconds(self, retry_after: str | None) -> float:
        """Return the wait after one more failure."""
        usual = min(_MOST_SECONDS, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        asked = _seconds(retry_after) * self._random.uniform(1, 1.1)
        return max(asked, usual * self._random.uniform(0.5, 1))


def _seconds(retry_after: str | None) -> float:
    """Read a Retry-After, which is a number of seconds or a date; 0 for anything else."""
    if not retry_after:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
