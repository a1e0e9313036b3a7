"""Keeps the tail's bounds near the table's end, while the stream runs."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from game_events.table import TAIL
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from lake import fit, history
from lake.events_table import TableError, claim
from lake.java_class import Java
from lake.last_records import LastRecords
from lake.offsets import RangeError, Topic
from lake.settings import Settings
from lake.tail import Bounds, tail_query
from lake.termination import root_cause
from lake.view_comments import view_comments

_log = logging.getLogger(__name__)

_PAUSE = 20.0
"""Seconds."""
_PATIENCE = 5.0
"""Seconds that a stopping stream waits."""


class TailKeeper:
    """Rewrites the view in the metastore: neither Trino nor a batch of the stream takes part.

    `looked` is called with the table each time that it was loaded.
    """

    def __init__(self, spark: SparkSession, settings: Settings, looked: Callable[[Java], None]) -> None:
        self._spark, self._settings, self._looked = spark, settings, looked
        # Connections of its own: the stream's are in use.
        self._topic, self._last_records = Topic(settings), LastRecords(settings)
        self._warned = ""

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep the bounds in a thread during the block. What fails is logged; then the bounds expire."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep, args=(stop,), name="tail", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(_PATIENCE)

    def _keep(self, stop: threading.Event) -> None:
        pause = 0.0
        while not stop.wait(pause):
            try:
                self._warn("" if self.keep() else f"there is no view {TAIL}: tables.py creates it")
            except (PySparkException, Py4JError, RangeError, TableError) as error:
                self._warn(f"the live views' bounds stay as they are: {root_cause(error)}")
            pause = _PAUSE

    def _warn(self, message: str) -> None:
        if message and message != self._warned:
            _log.warning("%s", message)
        self._warned = message

    def keep(self) -> bool:
        """Write the table's end into the view, or why there is none; return False if there is no such view."""
        query = tail_query(self._topic.name, self._bounds())
        with view_comments(self._spark, self._settings.metastore_uri) as views:
            return views.requery(TAIL, query)

    def _bounds(self) -> Bounds:
        seen = datetime.now(UTC)
        table = history.table(self._spark)
        self._looked(table)
        state = history.state(table)
        if state.snapshot is None:
            return Bounds(seen=seen)
        try:
            claim(self._spark, table, self._topic.identity(), state.topic_id)
            fit.check(state, self._topic.all(), self._last_records, accepts_gaps=False)
        except fit.BehindError:
            raise
        except TableError as error:
            return Bounds(problem=str(error))
        ranges = state.coverage.partitions
        if not state.is_whole or any(len(one) != 1 or one[0].start for one in ranges.values()):
            return Bounds(problem=f"the table's offsets have gaps: {state.coverage}")
        committed = datetime.fromtimestamp(table.currentSnapshot().timestampMillis() / 1000, UTC)
        return Bounds(state.snapshot, committed, {number: one[0].end for number, one in ranges.items()}, seen)
