"""The append-only log of events. The views depend only on this."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from game_api.trace_context import Headers


class Outcome(StrEnum):
    """The outcome of writing an event."""

    ACKED = "acked"
    REFUSED = "refused"
    """Not written."""
    UNKNOWN = "unknown"
    """It may have been written, or may still be."""


class Record(NamedTuple):
    key: bytes
    value: bytes


class Receipt(NamedTuple):
    """The outcome for a record: its place in the log if acked, otherwise the reason."""

    outcome: Outcome
    partition: int = -1
    offset: int = -1
    reason: str = ""


KAFKA_UNAVAILABLE = Receipt(Outcome.REFUSED, reason="Kafka is unavailable")
NO_REPORT = Receipt(Outcome.UNKNOWN, reason="Kafka did not answer in time")


class EventLog(Protocol):
    async def append(self, records: Sequence[Record], late: float = 0.0, headers: Headers = ()) -> list[Receipt]:
        """Write records and wait a bounded time for their outcomes; the receipts are in the order of the records.

        `late` is the number of seconds that the client has already waited; `headers` are those of every record.
        """

    def is_reachable(self) -> bool:
        """Whether an append would be attempted, as far as is known; sends no request."""

    def is_ready(self) -> bool:
        """Whether an append can be expected to succeed."""
