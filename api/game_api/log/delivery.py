"""The records of one append in flight: a coroutine waits, the poll thread reports."""

from asyncio import Future
from collections.abc import Callable
from threading import Lock

from confluent_kafka import KafkaError, Message

from game_api.log.event_log import Outcome, Receipt

REFUSALS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})
"""The errors after which the record is known not to be written, whichever attempt they answer."""

NO_REPORT = Receipt(Outcome.UNKNOWN, reason="Kafka did not answer in time")


class Delivery:
    """Collects a receipt for each of `size` records; calls `on_loss` if one is lost, from whichever thread notices.

    It calls `on_end` once, when Kafka holds none of the records any more: that may be long after the waiter continued.
    """

    def __init__(self, size: int, on_loss: Callable[[], None], on_end: Callable[["Delivery"], None]) -> None:
        self.receipts: list[Receipt | None] = [None] * size
        self.waiter: Future[None] | None = None
        """What the coroutine awaits; only its event loop's thread touches it."""
        self._expected = size
        self._reported = 0
        self._on_loss = on_loss
        self._on_end = on_end
        self._ending = Lock()
        self._ended = False

    def report(self, index: int, error: KafkaError | None, message: Message) -> None:
        """Take a delivery report; only one thread may call this."""
        self.receipts[index] = self.receipt(error, message)
        self._count()

    def receipt(self, error: KafkaError | None, message: Message) -> Receipt:
        """Return the receipt that a report stands for."""
        if error is None:
            return Receipt(Outcome.ACKED, message.partition() or 0, message.offset() or 0)
        if error.code() in REFUSALS:
            return Receipt(Outcome.REFUSED, reason=error.str())
        self._on_loss()
        return Receipt(Outcome.UNKNOWN, reason=error.str())

    def _count(self) -> None:
        self._reported += 1
        if self._reported == self._expected:
            self._end()

    def refuse_from(self, index: int, reason: str) -> None:
        """Give receipts to the records from `index` on, which were not passed to the producer."""
        self.receipts[index:] = [Receipt(Outcome.REFUSED, reason=reason)] * (len(self.receipts) - index)
        self._expected = index
        # The last report may have come before `_expected` decreased, or may come now.
        if self._reported == index:
            self._end()

    def _end(self) -> None:
        with self._ending:
            ended, self._ended = self._ended, True
        if not ended:
            self._on_end(self)

    @property
    def has_ended(self) -> bool:
        return self._ended

    def give_up(self) -> None:
        """Let the waiter continue without the missing reports."""
        self._on_loss()
        self.wake()

    def wake(self) -> None:
        """Let the waiter continue; only its event loop's thread may call this."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def result(self) -> list[Receipt]:
        """Return all receipts, as far as reports have come."""
        return [receipt or NO_REPORT for receipt in self.receipts]
