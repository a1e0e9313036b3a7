"""A table and a topic that do not fit together are refused, with both sides and the way out."""

from collections.abc import Mapping

import pytest
from lake.coverage import Coverage
from lake.events_table import TableError
from lake.fit import check
from lake.history import State
from lake.last_records import LastRecord
from lake.offsets import OffsetRange

STATE = State(1, "topic", Coverage.parse("0:0-100 1:0-50"), {0: LastRecord(99, 7), 1: LastRecord(49, 8)})


class Log:
    """The records that the topic has now, by partition."""

    def __init__(self, records: Mapping[int, LastRecord]) -> None:
        self._records = records
        self.asked: set[int] = set()

    def differing(self, known: Mapping[int, LastRecord]) -> dict[int, LastRecord]:
        self.asked |= known.keys()
        return {number: one for number, one in known.items() if self._records[number] != one}


SAME = Log(STATE.last)


def windows(text: str) -> list[OffsetRange]:
    return [OffsetRange.parse(one) for one in text.split()]


@pytest.mark.parametrize("now", ["0:0-100 1:0-50", "0:0-120 1:0-50", "0:100-120 1:50-60", "0:0-100 1:0-50 2:7-9"])
def test_a_topic_that_went_on(now: str) -> None:
    """New records, new partitions, and loaded offsets that retention has deleted are as they should be."""
    state = State(1, "topic", STATE.coverage | Coverage.of(windows("2:0-7")), STATE.last)
    check(state, [*windows(now), *([] if "2:" in now else windows("2:7-7"))], SAME, accepts_gaps=False)


def test_a_log_that_went_back() -> None:
    """A partition that ends before what the table has is refused."""
    with pytest.raises(TableError, match=r"partition 1 .* ends at offset 40, .* up to 50: the log went back\. .* Roll"):
        check(STATE, windows("0:0-100 1:0-40"), SAME, accepts_gaps=True)


def test_a_partition_that_is_gone() -> None:
    """A topic with fewer partitions is refused: nothing fits to what the table has of the others."""
    with pytest.raises(TableError, match=r"partition 1 .* ends at offset 0"):
        check(STATE, windows("0:0-100"), SAME, accepts_gaps=True)


def test_a_log_that_was_filled_again() -> None:
    """A partition that has another record where the table's last one was is refused before anything is loaded of it."""
    log = Log({0: LastRecord(99, 7), 1: LastRecord(49, 9)})
    with pytest.raises(TableError, match=r"partition 1 .* another record at offset 49 .* filled again\. .* Roll"):
        check(STATE, windows("0:0-100 1:0-60"), log, accepts_gaps=True)
    assert log.asked == {1}


def test_a_last_record_that_retention_deleted() -> None:
    """A last record that Kafka has deleted by its retention is not asked for."""
    log = Log({})
    check(STATE, windows("0:100-120 1:50-60"), log, accepts_gaps=False)
    assert log.asked == set()


def test_lost_offsets() -> None:
    """Offsets that Kafka deleted before they were loaded are named, with the command that gives them up."""
    state = State(1, "topic", Coverage.parse("0:0-100 0:120-130 1:0-50"))
    with pytest.raises(TableError) as refusal:
        check(state, windows("0:140-150 1:55-60"), SAME, accepts_gaps=False)
    assert str(refusal.value).startswith("offsets 0:100-120 0:130-140 1:50-55 are not in lake.default.events")
    assert str(refusal.value).endswith("batch.py skip --offsets 0:100-120 0:130-140 1:50-55")
    check(state, windows("0:140-150 1:55-60"), SAME, accepts_gaps=True)
