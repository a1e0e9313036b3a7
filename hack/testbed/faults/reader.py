"""A reader that queries Trino throughout a campaign, and must never see a double or a falling count."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from game_trino.connection import FAILURES
from lake.settings import EVENTS

from testbed.clients import sql
from testbed.settings import Settings

_PAUSE = 2.0
_PATIENCE = 900.0
"""Seconds for which queries may fail."""

# A partition and an offset, as one number.
_QUERY = f"SELECT count(*), count(DISTINCT kafka_offset * 1024 + kafka_partition) FROM {EVENTS}"


class Reader:
    """Reads while the block lasts; `errors` lists doubles, falling counts and long outages."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.answers = 0
        self.retried = 0
        self.errors: list[str] = []
        self._highest = 0
        self._accepts_falls = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    @contextmanager
    def accepting_falls(self) -> Iterator[None]:
        """Accept falling counts while the block lasts: a table that is rolled back lacks rows until they return."""
        self._accepts_falls = True
        try:
            yield
        finally:
            self._accepts_falls = False

    def _read(self) -> None:
        answered = time.monotonic()
        while not self._stop.wait(_PAUSE):
            try:
                [[rows, distinct]] = sql.ask(self._settings, _QUERY)[1]
            except FAILURES as error:
                self.retried += 1
                if time.monotonic() - answered > _PATIENCE:
                    self.errors.append(f"no answer for {_PATIENCE:.0f} s: {error}")
                    answered = time.monotonic()
                continue
            answered = time.monotonic()
            self.answers += 1
            self._check(rows, distinct)

    def _check(self, rows: int, distinct: int) -> None:
        if rows != distinct:
            self.errors.append(f"{rows - distinct} doubled of {rows} rows")
        if rows < self._highest and not self._accepts_falls:
            self.errors.append(f"{rows} rows after {self._highest}")
        self._highest = rows if self._accepts_falls else max(rows, self._highest)
