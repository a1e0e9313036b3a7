"""Deliveries: receipts for records, in their order and with the outcomes that Kafka reports."""

from typing import Any

import pytest
from confluent_kafka import KafkaError
from game_api.log.delivery import Delivery
from game_api.log.event_log import Outcome, Receipt, Record

RECORDS = [Record(b"key", b"%d" % number) for number in range(3)]


class Report:
    """The part of Kafka's message that a delivery reads."""

    def __init__(self, record: Record, offset: int = 40) -> None:
        self._record = record
        self._offset = offset

    def key(self) -> bytes:
        return self._record.key

    def value(self) -> bytes:
        return self._record.value

    def partition(self) -> int:
        return 2

    def offset(self) -> int:
        return self._offset


def receipts(delivery: Delivery) -> list[Receipt]:
    """Return the receipts as a waiter gets them that waits no longer."""
    if not delivery.has_ended:
        delivery.give_up()
    return delivery.result()


def outcomes(delivery: Delivery) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts(delivery)]


def report(delivery: Delivery, index: int, error: KafkaError | None = None, **place: int) -> None:
    message: Any = Report(RECORDS[index], **place)
    delivery.report(error, message)


def nothing(*_: Delivery) -> None:
    pass


def test_receipts_keep_the_records_order():
    """Reports may arrive in any order. A record without one is unknown, and counts as lost."""
    lost = []
    delivery = Delivery(RECORDS, lambda: lost.append(1), nothing)
    report(delivery, 2, offset=42)
    report(delivery, 0, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
    assert outcomes(delivery) == [Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKED]
    assert receipts(delivery)[2] == Receipt(Outcome.ACKED, 2, 42)
    assert lost


def test_equal_records_have_a_receipt_each():
    """Of two equal records, each has one of their reports."""
    delivery = Delivery([RECORDS[0], RECORDS[1], RECORDS[0]], nothing, nothing)
    for index, offset in ((0, 7), (1, 8), (0, 9)):
        report(delivery, index, offset=offset)
    offsets = [receipt.offset for receipt in receipts(delivery)]
    assert (sorted(offsets), offsets[1]) == ([7, 8, 9], 8)


@pytest.mark.parametrize("refused_from", [2, 1, 0])
def test_the_end_is_reported_once(refused_from: int):
    """However many records were handed over, and in whatever order they end, the end is reported once."""
    ends: list[Delivery] = []
    delivery = Delivery(RECORDS[:2], nothing, ends.append)
    for index in range(refused_from):
        report(delivery, index)
    if refused_from < 2:
        delivery.refuse_from(refused_from, "full")
    outcomes(delivery)
    assert ends == [delivery]


def test_a_late_report_ends_the_delivery():
    """A delivery ends when Kafka holds no more records, not when the waiter gives up."""
    ends: list[Delivery] = []
    delivery = Delivery(RECORDS[:1], nothing, ends.append)
    assert outcomes(delivery) == [Outcome.UNKNOWN]
    assert not ends
    report(delivery, 0)
    assert ends == [delivery]


def test_a_timeout_is_never_a_refusal():
    """A record that timed out may have been written: its outcome is unknown."""
    lost = []
    delivery = Delivery(RECORDS[:1], lambda: lost.append(1), nothing)
    report(delivery, 0, KafkaError(KafkaError._MSG_TIMED_OUT))
    assert outcomes(delivery) == [Outcome.UNKNOWN]
    assert lost == [1]


def test_only_records_not_handed_over_are_refused():
    """When the queue is full, the records handed over before still get their reports, early or late."""
    for early in (True, False):
        delivery = Delivery(RECORDS, nothing, nothing)
        if early:
            report(delivery, 0)
        delivery.refuse_from(1, "full")
        if not early:
            report(delivery, 0)
        assert outcomes(delivery) == [Outcome.ACKED, Outcome.REFUSED, Outcome.REFUSED]
