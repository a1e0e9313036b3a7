"""What the history of the table `events` says about the topic: the summaries of its snapshots.

Each commit that adds offsets says in its summary everything that the table covers, as far as its writer knew, and which
snapshot the writer knew. Others may commit in between: the table covers what all summaries say together, of the current
snapshot and its ancestors. So a table that is rolled back or restored is right by itself.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from game_events.rollups import LAST_RECORDS
from pyspark.sql import SparkSession

from lake.coverage import Coverage
from lake.java_class import java_class
from lake.last_records import LastRecord
from lake.offsets import OffsetRange
from lake.settings import EVENTS

_log = logging.getLogger(__name__)

TOPIC_ID = "gamelake.topic-id"
OFFSETS = "gamelake.offsets"
BASE = "gamelake.base-snapshot-id"
IMPORTED = "gamelake.imported"
"""In the summary of a commit that added lines of files, which are no offsets of the topic: the files and lines."""

_ADDING = ("append", "overwrite")
CHANGES = {"added-records": 1, "deleted-records": -1, "added-position-deletes": -1, "removed-position-deletes": 1}
"""Fields of a summary, and how they change the number of rows."""


@dataclass(frozen=True)
class State:
    """What the table has of the topic, as of one snapshot."""

    snapshot: int | None = None
    topic_id: str | None = None
    coverage: Coverage = field(default_factory=Coverage)
    last: Mapping[int, LastRecord] = field(default_factory=dict)
    """The last record of each partition, where it was known."""
    is_whole: bool = True
    """False if a writer added rows and did not say which (an older version, or a person), or if a part of the history
    is missing: then only the rows themselves tell."""
    is_carried: bool = False
    """Whether the snapshot's own summary says all of it, and shows that nothing came between, so that older snapshots
    are not needed."""

    def summary(self, topic_id: str) -> dict[str, str]:
        """Return the summary of a commit that carries this, made by a writer that knew this snapshot."""
        base = {} if self.snapshot is None else {BASE: str(self.snapshot)}
        last = " ".join(f"{number}:{one}" for number, one in sorted(self.last.items()))
        return {TOPIC_ID: topic_id, OFFSETS: str(self.coverage), LAST_RECORDS: last, **base}


def table(spark: SparkSession, name: str = EVENTS) -> Any:  # noqa: ANN401 Java's
    """Return a table as it is now. Iceberg's own API reads only metadata, where a query takes as long as a batch."""
    util = java_class(spark, "org.apache.iceberg.spark.Spark3Util")
    return util.loadIcebergTable(spark._jsparkSession, name)


def state(table: Any) -> State:  # noqa: ANN401 Java's
    """Return what the table's current snapshot and its ancestors say."""
    snapshot = current = table.currentSnapshot()
    said: list[_Summary] = []
    ancestors = set[int]()
    is_whole = True
    while snapshot is not None:
        summary = _Summary.of(snapshot)
        ancestors.add(summary.snapshot)
        if summary.coverage:
            said.append(summary)
        is_whole = is_whole and not summary.adds_silently
        # What the writer of the newest one knew is in its summary: older ones need not be read.
        if said and summary.parent == said[0].base:
            break
        if summary.parent is None:
            # A writer that knew another snapshot did not see that the table was rolled back: those rows are gone.
            valid = [one for one in said if one.base in (None, *ancestors)]
            is_whole = is_whole and len(valid) == len(said)
            said = valid
            break
        snapshot = table.snapshot(summary.parent)
        # Somebody expired snapshots that may have said something.
        is_whole = is_whole and not (said and snapshot is None)
    if current is None:
        return State()
    number = int(current.snapshotId())
    if not said:
        return State(number, is_whole=is_whole and int(current.summary().get("total-records") or 0) == 0)
    newest, coverage, last = said[0], Coverage(), dict[int, LastRecord]()
    for one in said:
        coverage |= one.coverage or Coverage()
        last = _newest(last, one.last)
    is_carried = (
        newest.snapshot == number
        and newest.parent in (None, newest.base)
        and (newest.coverage, newest.last) == (coverage, last)
    )
    return State(number, newest.topic_id, coverage, last, is_whole, is_carried)


@dataclass(frozen=True)
class _Summary:
    """A snapshot, and what it says; no coverage if it says nothing."""

    snapshot: int
    parent: int | None
    base: int | None
    topic_id: str | None
    coverage: Coverage | None
    last: Mapping[int, LastRecord]
    adds_silently: bool

    @classmethod
    def of(cls, snapshot: Any) -> "_Summary":  # noqa: ANN401 Java's
        summary, parent = snapshot.summary(), snapshot.parentId()
        offsets, base = summary.get(OFFSETS), summary.get(BASE)
        return cls(
            int(snapshot.snapshotId()),
            None if parent is None else int(parent),
            int(base) if base else None,
            summary.get(TOPIC_ID),
            Coverage.parse(offsets) if offsets else None,
            _last_records(summary.get(LAST_RECORDS) or ""),
            adds_silently=not (offsets or summary.get(IMPORTED))
            and snapshot.operation() in _ADDING
            and _growth(summary) > 0,
        )


def _growth(summary: Any) -> int:  # noqa: ANN401 Java's
    return sum(sign * int(summary.get(name) or 0) for name, sign in CHANGES.items())


def _last_records(text: str) -> dict[int, LastRecord]:
    records = {}
    for one in text.split():
        number, _, record = one.partition(":")
        records[int(number)] = LastRecord.parse(record)
    return records


def _newest(one: Mapping[int, LastRecord], other: Mapping[int, LastRecord]) -> dict[int, LastRecord]:
    newest = dict(one)
    for number, record in other.items():
        if number not in newest or newest[number].offset < record.offset:
            newest[number] = record
    return newest


def with_rows(spark: SparkSession, state: State) -> State:
    """Add the offsets that are rows in the state's snapshot, from the rows themselves: a scan of two columns."""
    _log.warning("%s has rows whose offsets its history does not name: reading the offsets of all rows", EVENTS)
    # In a run of consecutive offsets, an offset and its rank differ by the same number.
    runs = spark.sql(
        "SELECT kafka_partition, min(kafka_offset) AS first, max(kafka_offset) AS last FROM ("
        "SELECT kafka_partition, kafka_offset, kafka_offset - row_number() OVER "
        "(PARTITION BY kafka_partition ORDER BY kafka_offset) AS run FROM "
        f"(SELECT DISTINCT kafka_partition, kafka_offset FROM {EVENTS} VERSION AS OF {state.snapshot} "
        # Imported lines of files are no offsets of the topic.
        "WHERE kafka_partition >= 0)"
        ") GROUP BY kafka_partition, run"
    )
    rows = Coverage.of(OffsetRange(row.kafka_partition, row.first, row.last + 1) for row in runs.collect())
    return replace(state, coverage=state.coverage | rows)
