"""An event log in memory, for tests of the code in front of Kafka."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from game_api import create_app
from game_api.log.event_log import Outcome, Receipt, Record
from game_api.trace_context import Headers
from werkzeug.test import Client

from tests.unit.game_api.client import client_for

HOST = "localhost"
"""The Host header of a client's requests."""


class MemoryLog:
    """Keeps the records, except that the first ones get the given `failures` as receipts."""

    def __init__(self, *failures: Receipt) -> None:
        self.records: list[Record] = []
        self.headers: list[tuple[str, bytes]] = []
        """Those of the last records."""
        self._failures = list(failures)

    async def append(self, records: Sequence[Record], late: float = 0.0, headers: Headers = ()) -> list[Receipt]:
        self.headers = list(headers)
        return [self._append(record) for record in records]

    def _append(self, record: Record) -> Receipt:
        if self._failures:
            return self._failures.pop(0)
        self.records.append(record)
        return Receipt(Outcome.ACKED, 0, len(self.records) - 1)

    def is_reachable(self) -> bool:
        return True

    def is_ready(self) -> bool:
        return not self._failures

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in self.records]


def client_of(log: MemoryLog) -> Client:
    return client_for(create_app(log, random=Random(7)))
