"""A reader that asks Trino all the time and may never see a double or a count that falls."""

import threading
import time

import trino

from testbed.clients import sql
from testbed.faults.site import EVENTS
from testbed.settings import Settings

_PAUSE = 2.0
_PATIENCE = 240.0
"""Seconds for which an error may be retried."""

# One number for a partition and an offset.
_QUERY = f"SELECT count(*), count(DISTINCT kafka_offset * 1024 + kafka_partition) FROM {EVENTS}"


class Reader:
    """Reads while the block lasts; `wrong` lists what may not be."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.answers = 0
        self.retried = 0
        self.wrong: list[str] = []
        self._highest = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    def _read(self) -> None:
        answered = time.monotonic()
        while not self._ended.wait(_PAUSE):
            try:
                [[rows, distinct]] = sql.ask(self._settings, _QUERY)[1]
            except (trino.exceptions.Error, OSError) as error:
                self.retried += 1
                if time.monotonic() - answered > _PATIENCE:
                    self.wrong.append(f"no answer for {_PATIENCE:.0f} s: {error}")
                    answered = time.monotonic()
                continue
            answered = time.monotonic()
            self.answers += 1
            self._check(rows, distinct)

    def _check(self, rows: int, distinct: int) -> None:
        if rows != distinct:
            self.wrong.append(f"{rows - distinct} doubled of {rows} rows")
        if rows < self._highest:
            self.wrong.append(f"{rows} rows after {self._highest}")
        self._highest = max(rows, self._highest)
