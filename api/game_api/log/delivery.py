"""The records of one append in flight: a request thread waits, the poll thread reports."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock

from confluent_kafka import KafkaError, Message

from game_api.log.event_log import Outcome, Receipt

REFUSALS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})
"""The errors after which the record is known not to be written, whichever attempt they answer."""

_NO_REPORT = Receipt(Outcome.UNKNOWN, reason="Kafka did not answer in time")


class Delivery:
    """Collects a receipt for each of `size` records; calls `on_loss`, before the waiter continues, if one is lost.

    It calls `on_end` once, when Kafka holds none of the records any more: that may be long after the waiter continued.
    """

    def __init__(self, size: int, on_loss: Callable[[], None], on_end: Callable[[], None] = lambda: None) -> None:
        self._receipts: list[Receipt | None] = [None] * size
        self._expected = size
        self._reported = 0
        self._on_loss = on_loss
        self._on_end = on_end
        self._ending = Lock()
        self._ended = False
        # Half the cost of an Event, and unlike a Lock it may be released twice.
        self._complete: SimpleQueue[None] = SimpleQueue()

    def report(self, index: int, error: KafkaError | None, message: Message) -> None:
        """Take a delivery report; only one thread may call this."""
        if error is None:
            self._receipts[index] = Receipt(Outcome.ACKED, message.partition() or 0, message.offset() or 0)
        elif error.code() in REFUSALS:
            self._receipts[index] = Receipt(Outcome.REFUSED, reason=error.str())
        else:
            self._on_loss()
            self._receipts[index] = Receipt(Outcome.UNKNOWN, reason=error.str())
        self._reported += 1
        if self._reported == self._expected:
            self._end()

    def refuse_from(self, index: int, reason: str) -> None:
        """Give receipts to the records from `index` on, which were not passed to the producer."""
        self._receipts[index:] = [Receipt(Outcome.REFUSED, reason=reason)] * (len(self._receipts) - index)
        self._expected = index
        # The last report may have come before `_expected` decreased, or may come now: at worst both put.
        if self._reported == index:
            self._end()

    def _end(self) -> None:
        with self._ending:
            ended, self._ended = self._ended, True
        if not ended:
            self._on_end()
        self._complete.put(None)

    def wait(self, timeout: float) -> list[Receipt]:
        """Return all receipts, after `timeout` seconds at most."""
        try:
            self._complete.get(timeout=timeout)
        except Empty:
            self._on_loss()
        return [receipt or _NO_REPORT for receipt in self._receipts]
