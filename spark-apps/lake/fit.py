"""Whether the table and the topic fit together: what the table covers was read from this log, and no part is lost."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lake.coverage import Coverage
from lake.events_table import TableError
from lake.history import State
from lake.last_records import LastRecord
from lake.offsets import OffsetRange
from lake.settings import EVENTS

_WAY_OUT = (
    f"The offsets of other records would be taken for rows that exist. Roll {EVENTS} back to a snapshot from before "
    "that (its summary has gamelake.offsets), restore the topic, or load it into another table"
)


class KnowsRecords(Protocol):
    def differing(self, known: Mapping[int, LastRecord]) -> dict[int, LastRecord]:
        """Return those for which the topic has another record at the same offset."""


def check(state: State, windows: Sequence[OffsetRange], records: KnowsRecords, *, accepts_gaps: bool) -> None:
    """Raise TableError, with what each side has and the way out, if the log went back or was filled again.

    Unless gaps are accepted, offsets that Kafka deleted before they were read are an error, too. `windows` are the
    offsets that Kafka has now.
    """
    _check_ends(state.coverage, windows)
    _check_records(state, windows, records)
    if not accepts_gaps:
        _check_starts(state.coverage, windows)


def _check_ends(coverage: Coverage, windows: Sequence[OffsetRange]) -> None:
    ends = {one.partition: one.end for one in windows}
    for partition in coverage.partitions:
        end, covered = ends.get(partition, 0), coverage.end(partition)
        if end < covered:
            raise BehindError(
                f"partition {partition} of the topic ends at offset {end}, and {EVENTS} has its offsets up to "
                f"{covered}: the log went back. {_WAY_OUT}"
            )


def _check_records(state: State, windows: Sequence[OffsetRange], records: KnowsRecords) -> None:
    present = {one.partition: one for one in windows}
    # Of a partition without missing offsets nothing is written.
    known = {
        partition: record
        for partition, record in state.last.items()
        if state.coverage.missing(present[partition]) and present[partition].start <= record.offset
    }
    for partition, record in records.differing(known).items():
        raise TableError(
            f"partition {partition} of the topic has another record at offset {record.offset} than the one that "
            f"{EVENTS} was loaded from: the log went back and was filled again. {_WAY_OUT}"
        )


def _check_starts(coverage: Coverage, windows: Sequence[OffsetRange]) -> None:
    lost = [
        gap for one in windows for gap in coverage.missing(OffsetRange(one.partition, 0, one.start)) if one.start > 0
    ]
    if lost:
        named = " ".join(map(str, lost))
        starts = ", ".join(f"{one.partition} starts at {one.start}" for one in windows)
        raise TableError(
            f"offsets {named} are not in {EVENTS}, and Kafka no longer has them (partition {starts}). Restore them, or "
            f"give them up: batch.py skip --offsets {named}"
        )


class BehindError(TableError):
    """Kafka's end is before the table's. A broker that has just restarted may say so for a moment."""
