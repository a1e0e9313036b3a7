"""Loads the topic into the table: the one way, for the stream and for batch jobs."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from game_events import REJECTED
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import events_table, events_writer, history, topic_reader
from lake.commits import ConflictError
from lake.coverage import Coverage
from lake.events_writer import StagedFiles
from lake.fit import BehindError, check
from lake.history import State
from lake.last_records import LastRecords
from lake.offsets import OffsetRange, RangeError, Topic, limited, spark_options
from lake.settings import Settings
from lake.termination import root_cause
from lake.topic_reader import FewRecords
from lake.transforms import to_events

_log = logging.getLogger(__name__)

_ATTEMPTS = 10
"""Commits of others that one load gives way to."""
_SETTLING = 10
"""Seconds in which a broker that has just restarted may name an earlier end of a partition."""
_RECORDS_PER_TASK = 250_000
"""Several tasks may read one partition of the topic: there may be fewer partitions than cores."""


@dataclass(frozen=True)
class Batch:
    """One commit: what was loaded, how many rows that made, and the seconds of each step."""

    ranges: Sequence[OffsetRange]
    rows: int
    rejected: int
    seconds: dict[str, float]
    is_last: bool
    """Whether nothing more was there to load when the batch was planned."""


class Loader:
    """`coverage` is what the table had when it was last asked."""

    def __init__(self, spark: SparkSession, settings: Settings, topic: Topic) -> None:
        self._spark, self._settings, self._topic = spark, settings, topic
        self._last_records = LastRecords(settings)
        self._few = FewRecords(settings)
        self.coverage = Coverage()

    def begin(self) -> None:
        """Create the table if it does not exist, and refuse a topic that is not the table's."""
        events_table.create(self._spark, self._settings)
        self._look(self._topic.identity())

    def refresh(self) -> None:
        """Ask the table what it covers: without new records, only this shows that it was rolled back."""
        self.coverage = history.state(history.table(self._spark)).coverage

    def load(
        self,
        most: int,
        within: Sequence[OffsetRange] | None = None,
        *,
        accepts_gaps: bool = False,
        begun: Callable[[], None] = lambda: None,
    ) -> Batch | None:
        """Load some of what is missing in one commit, `most` offsets or so; None if nothing is missing.

        Each offset becomes one row, however many writers there are. Raises TableError if the table and the topic do not
        fit together, UnavailableError while the broker does not answer. `within` limits what is loaded. Offsets that
        Kafka no longer has are an error unless gaps are accepted, which stay visible. `begun` is called before the
        first record is read.
        """
        started, conflicts = time.monotonic(), 0
        while True:
            try:
                return self._load(most, within, accepts_gaps, begun)
            except ConflictError as error:
                conflicts += 1
                if conflicts == _ATTEMPTS:
                    raise
                _log.warning("another writer was faster: %s", error)
            except BehindError:
                if time.monotonic() > started + _SETTLING:
                    raise
                time.sleep(0.5)

    def give_up(self, ranges: Sequence[OffsetRange]) -> None:
        """Record in the table's history that these offsets, which Kafka no longer has, are not missing."""
        identity = self._topic.identity()
        table, state, windows = self._look(identity)
        present = {one.partition: one for one in windows}
        for one in ranges:
            window = present.get(one.partition)
            if window is None or one.end > window.start:
                has = f"partition {one.partition} has {window}" if window else f"there is no partition {one.partition}"
                raise RangeError(f"offsets {one}: {has}; only offsets that Kafka no longer has can be given up")
        # Nothing conflicts with it: all summaries together count.
        after = replace(state, coverage=state.coverage | Coverage.of(ranges))
        events_writer.append(table, after.summary(identity))

    def _load(
        self, most: int, within: Sequence[OffsetRange] | None, accepts_gaps: bool, begun: Callable[[], None]
    ) -> Batch | None:
        started = time.monotonic()
        identity = self._topic.identity()
        table, state, windows = self._look(identity)
        check(state, windows, self._last_records, accepts_gaps=accepts_gaps)
        gaps = [gap for one in within or windows for gap in state.coverage.missing(one)]
        if not gaps:
            return None
        # Spark's source reads one range of each partition.
        first = {gap.partition: gap for gap in reversed(gaps)}
        ranges = limited([first[partition] for partition in sorted(first)], most)
        begun()
        planned = time.monotonic()
        staged, rows, rejected = self._stage(ranges, table)
        written = time.monotonic()
        ahead = [one for one in ranges if one.end > state.coverage.end(one.partition)]
        covered = state.coverage | Coverage.of(ranges)
        after = replace(state, coverage=covered, last={**state.last, **self._last_records.of(ahead)})
        # If the topic was recreated before its records were read, it has another id by now.
        if self._topic.identity() != identity:
            staged.delete()
            raise ConflictError(f"topic {self._topic.name} was recreated")
        staged.commit(ranges, state.snapshot, after.summary(identity))
        self.coverage = covered
        return Batch(
            ranges,
            rows,
            rejected,
            {"plan": planned - started, "write": written - planned, "commit": time.monotonic() - written},
            is_last=sum(one.size for one in ranges) == sum(gap.size for gap in gaps),
        )

    def _look(self, identity: str) -> tuple[Any, State, list[OffsetRange]]:
        """Return the table, what it has, and the offsets that Kafka has, in this order: Kafka's end only grows."""
        while True:
            table = history.table(self._spark)
            state = history.state(table)
            events_table.claim(self._spark, table, identity, state.topic_id)
            windows = self._topic.all()
            # What a partition had lost before it was first read is not missing.
            new = [
                OffsetRange(w.partition, 0, w.start) for w in windows if w.partition not in state.coverage.partitions
            ]
            if state.is_whole:
                state = replace(state, coverage=state.coverage | Coverage.of(new))
                self.coverage = state.coverage
                return table, state, windows
            # While an older version of the stream still runs, there may be more such rows each time.
            found = history.with_rows(self._spark, state).coverage
            # That version said nothing in summaries, but it skipped no offset that had a record.
            vouched = [OffsetRange(n.partition, 0, min(n.end, found.end(n.partition) or n.end)) for n in new]
            said = replace(state, coverage=found | Coverage.of(vouched))
            events_writer.append(table, said.summary(identity))

    def _stage(self, ranges: Sequence[OffsetRange], table: Any) -> tuple[StagedFiles, int, int]:  # noqa: ANN401 Java's
        """Write the rows of these ranges as files; return how many rows there are, and how many are rejected ones."""
        if (few := self._few.rows(self._spark, ranges)) is not None:
            return _stage(few, table)
        records = (
            self._spark.read.format("kafka")
            .options(**self._settings.kafka_source())
            .options(**spark_options(self._topic.name, ranges), maxRecordsPerPartition=_RECORDS_PER_TASK)
            .load()
        )
        try:
            return _stage(to_events(records), table)
        except (PySparkException, Py4JJavaError) as error:
            if not topic_reader.is_needed(error):
                raise
            _log.warning("Spark cannot read a record of %s: %s", " ".join(map(str, ranges)), root_cause(error))
            return _stage(topic_reader.rows(self._spark, self._settings, ranges), table)


def _stage(rows: DataFrame, table: Any) -> tuple[StagedFiles, int, int]:  # noqa: ANN401 Java's
    observed = Observation()
    rejected = F.count(F.when(F.col("family") == REJECTED, True))
    staged = events_writer.stage(rows.observe(observed, F.count("*").alias("rows"), rejected.alias("rejected")), table)
    counts = observed.get
    return staged, counts["rows"], counts["rejected"]
