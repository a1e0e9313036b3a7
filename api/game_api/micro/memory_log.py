"""The event log in memory: one partition, of which the newest records are kept."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from game_world.memory.world import MemoryWorld

from game_api.log.event_log import Outcome, Receipt, Record
from game_api.micro.faults import Faults
from game_api.trace_context import Headers

MOST = 10_000
"""Records that are kept."""


class MemoryLog:
    """`world` follows the records. The records of some requests fail, as `faults` says."""

    def __init__(self, world: MemoryWorld, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._values: deque[bytes] = deque(maxlen=MOST)
        self.written = 0
        """Records since the last reset."""

    async def append(self, records: Sequence[Record], late: float = 0.0, headers: Headers = ()) -> list[Receipt]:
        fault = self._faults.take(503)
        failing = fault.items if fault else 0
        receipts = []
        for number, record in enumerate(records):
            if fault and number < failing:
                if fault.written:
                    self._write(record)
                receipts.append(fault.receipt)
            else:
                receipts.append(self._write(record))
        return receipts

    def _write(self, record: Record) -> Receipt:
        offset = self.written
        self.written += 1
        self._values.append(record.value)
        self._world.project(offset, record.value, orjson.loads(record.value))
        return Receipt(Outcome.ACKED, 0, offset)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events of the records that are kept, each once although requests were sent again."""
        seen = set()
        for value in self._values:
            event = orjson.loads(value)
            once = (event["player"], event["event_type"], event["event_id"])
            if once not in seen:
                seen.add(once)
                yield event

    @property
    def dropped(self) -> int:
        return self.written - len(self._values)

    def clear(self) -> None:
        self._values.clear()
        self.written = 0

    def is_reachable(self) -> bool:
        return True

    def is_ready(self) -> bool:
        return True
