"""The records of one append in flight: a coroutine waits, the poll thread reports."""

from asyncio import Future
from collections.abc import Callable, Sequence
from threading import Lock

from confluent_kafka import KafkaError, Message

from game_api.log.event_log import NO_REPORT, Outcome, Receipt, Record

REFUSALS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})
"""The errors after which the record is known not to be written, whichever attempt they answer."""


# A third of what a NamedTuple's own constructor costs.
_new = tuple.__new__


class Delivery:
    """Collects the reports about records; calls `on_loss` if one is lost, from whichever thread notices.

    It calls `on_end` once, when Kafka holds none of the records any more: that may be long after the waiter continued.
    """

    def __init__(
        self, records: Sequence[Record], on_loss: Callable[[], None], on_end: Callable[["Delivery"], None]
    ) -> None:
        self.waiter: Future[None] | None = None
        """What the coroutine awaits; only its event loop's thread touches it."""
        self._records = records
        self._reports: list[tuple[KafkaError | None, Message]] = []
        self._expected = len(records)
        self._reason = ""
        self._on_loss = on_loss
        self._on_end = on_end
        self._ending = Lock()
        self.has_ended = False

    def report(self, error: KafkaError | None, message: Message) -> None:
        """Take the report about one record; only one thread may call this."""
        if error is not None and error.code() not in REFUSALS:
            self._on_loss()
        self._reports.append((error, message))
        if len(self._reports) == self._expected:
            self._end()

    def refuse_from(self, index: int, reason: str) -> None:
        """Refuse the records from `index` on, which were not passed to the producer."""
        self._reason = reason
        self._expected = index
        # The last report may have come before `_expected` decreased, or may come now.
        if len(self._reports) == index:
            self._end()

    def _end(self) -> None:
        with self._ending:
            ended, self.has_ended = self.has_ended, True
        if not ended:
            self._on_end(self)

    def give_up(self) -> None:
        """Let the waiter continue without the missing reports."""
        self._on_loss()
        self.wake()

    def wake(self) -> None:
        """Let the waiter continue; only its event loop's thread may call this."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def result(self) -> list[Receipt]:
        """Return a receipt for each record, as far as reports have come."""
        records, reports = self._records, list(self._reports)
        if len(records) == 1:
            return [_receipt(*reports[0]) if reports else self._missing(0)]
        # The same bytes are the same event, so it does not matter which report is whose.
        found = {message.value(): message for error, message in reports if error is None}
        if len(found) == len(records):
            return [
                _new(Receipt, (Outcome.ACKED, (message := found[value]).partition(), message.offset(), ""))
                for _, value in records
            ]
        receipts: dict[bytes | None, list[Receipt]] = {}
        for error, message in reports:
            receipts.setdefault(message.value(), []).append(_receipt(error, message))
        return [
            left.pop() if index < self._expected and (left := receipts.get(record.value)) else self._missing(index)
            for index, record in enumerate(records)
        ]

    def _missing(self, index: int) -> Receipt:
        """Return the receipt of a record without a report."""
        return NO_REPORT if index < self._expected else Receipt(Outcome.REFUSED, reason=self._reason)


def _receipt(error: KafkaError | None, message: Message) -> Receipt:
    if error is None:
        return Receipt(Outcome.ACKED, message.partition() or 0, message.offset() or 0)
    return Receipt(Outcome.REFUSED if error.code() in REFUSALS else Outcome.UNKNOWN, reason=error.str())
