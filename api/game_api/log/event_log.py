"""Where events go: an append-only log. The views know only this."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol


class Outcome(StrEnum):
    """What became of an event."""

    ACKED = "acked"
    REFUSED = "refused"
    """Surely not written."""
    UNKNOWN = "unknown"
    """It may have been written, or may yet be."""


class Record(NamedTuple):
    key: bytes
    value: bytes


class Receipt(NamedTuple):
    """What became of a record: where it lies, when acked; the reason, when not."""

    outcome: Outcome
    partition: int = -1
    offset: int = -1
    reason: str = ""


AWAY = Receipt(Outcome.REFUSED, reason="Kafka is away")


class EventLog(Protocol):
    def append(self, records: Sequence[Record], late: float = 0.0) -> list[Receipt]:
        """Write records and wait for what becomes of each, a bounded time; the receipts are in the records' order.

        `late` are the seconds for which the client has waited already.
        """

    def is_reachable(self) -> bool:
        """Whether an append is tried at all, as far as is known; asks nobody."""

    def is_ready(self) -> bool:
        """Whether an append can be expected to succeed."""
