"""Deliveries: receipts for records, in the order and with the outcomes that Kafka reports."""

import pytest
from confluent_kafka import KafkaError
from game_api.log.delivery import Delivery
from game_api.log.event_log import Outcome


class Acked:
    """The part of Kafka's message that a delivery report reads."""

    def partition(self) -> int:
        return 2

    def offset(self) -> int:
        return 40


def outcomes(delivery: Delivery) -> list[Outcome]:
    """Return the outcomes as a waiter gets them that waits no longer."""
    if not delivery.has_ended:
        delivery.give_up()
    return [receipt.outcome for receipt in delivery.result()]


def nothing(*_: Delivery) -> None:
    pass


def test_receipts_keep_the_records_order():
    """Reports may arrive in any order. A record without one is unknown, and counts as lost."""
    lost = []
    delivery = Delivery(3, lambda: lost.append(1), nothing)
    delivery.report(2, None, Acked())
    delivery.report(0, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), Acked())
    assert outcomes(delivery) == [Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKED]
    assert lost == [1]


@pytest.mark.parametrize("refused_from", [2, 1, 0])
def test_the_end_is_reported_once(refused_from: int):
    """However many records were handed over, and in whatever order they end, the end is reported once."""
    ends: list[Delivery] = []
    delivery = Delivery(2, nothing, ends.append)
    for index in range(refused_from):
        delivery.report(index, None, Acked())
    if refused_from < 2:
        delivery.refuse_from(refused_from, "full")
    outcomes(delivery)
    assert ends == [delivery]


def test_a_late_report_ends_the_delivery():
    """A delivery ends when Kafka holds no more records, not when the waiter gives up."""
    ends: list[Delivery] = []
    delivery = Delivery(1, nothing, ends.append)
    assert outcomes(delivery) == [Outcome.UNKNOWN]
    assert not ends
    delivery.report(0, None, Acked())
    assert ends == [delivery]


def test_a_timeout_is_never_a_refusal():
    """A record that timed out may have been written: its outcome is unknown."""
    lost = []
    delivery = Delivery(1, lambda: lost.append(1), nothing)
    delivery.report(0, KafkaError(KafkaError._MSG_TIMED_OUT), Acked())
    assert outcomes(delivery) == [Outcome.UNKNOWN]
    assert lost == [1]


def test_only_records_not_handed_over_are_refused():
    """When the queue is full, the records handed over before still get their reports, early or late."""
    for early in (True, False):
        delivery = Delivery(3, nothing, nothing)
        if early:
            delivery.report(0, None, Acked())
        delivery.refuse_from(1, "full")
        if not early:
            delivery.report(0, None, Acked())
        assert outcomes(delivery) == [Outcome.ACKED, Outcome.REFUSED, Outcome.REFUSED]
