"""The backfill: events that Kafka has dropped and the world lacks, projected from the table `events`."""

import logging
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from threading import Event

from game_world.capacity import Capacity
from game_world.events_table import EventsTable, Row, records_of
from game_world.store import Store, StoreLostError

_log = logging.getLogger(__name__)

_PAGE = 50_000
"""Offsets that one query covers: Trino sorts them."""
_BATCH = 1000
"""Rows that are applied at once."""


class Backfill:
    """The offsets are the topic's, so that a backfill that was interrupted continues where it was."""

    def __init__(self, store: Store, table: EventsTable, capacity: Capacity) -> None:
        self._store = store
        self._table = table
        self._capacity = capacity

    def run(self, topic_id: str, held: Mapping[int, range], stop: Event) -> None:
        """Project the offsets below those that Kafka holds, as far as the table has them, unless `stop` is set.

        Nothing is decided until the world has caught up. Raises TableError if the table cannot be read: nothing is left
        out then. Raises RedisError, StoreLostError and StoreRefusedError.
        """
        known = self._store.positions()
        lacking = {
            partition: range(known.get(partition, 0), offsets.start)
            for partition, offsets in held.items()
            if known.get(partition, 0) < offsets.start
        }
        if not lacking:
            return
        self._store.unset_caught_up()
        if (loaded := self._table.topic_id()) != topic_id:
            _log.error(f"the table `events` is of no use: expected topic id {topic_id}, got {loaded}")
            return
        reaches = self._table.reaches()
        for partition, offsets in lacking.items():
            self._store.begin_at(topic_id, partition, known.get(partition), offsets.start)
            self._fill(partition, offsets, reaches.get(partition, range(0)), stop)

    def _fill(self, partition: int, offsets: range, reach: range, stop: Event) -> None:
        """Project what the table has of these offsets. Those after its last row are left to the caller."""
        # A later row proves that the offsets before it were loaded, but not offsets before the first row.
        end = min(offsets.stop, reach.stop)
        if end <= offsets.start:
            return
        if offsets.start < reach.start:
            gone = f"offsets {offsets.start} to {min(end, reach.start) - 1} of partition {partition}"
            _log.error(f"neither Kafka nor the table `events` has {gone}: the world lacks these events")
        _log.info(
            f"Kafka has dropped offsets below {offsets.stop} of partition {partition}: reading the table `events`"
        )
        started, projected, position = time.monotonic(), 0, offsets.start
        while position < end and not stop.is_set():
            page = range(max(position, reach.start), min(max(position, reach.start) + _PAGE, end))
            rows = self._table.rows(partition, page)
            while not stop.is_set() and (found := [*islice(rows, _BATCH)]):
                projected += len(found)
                position = self._project(partition, position, found[-1].offset + 1, found)
            if not stop.is_set():
                position = self._project(partition, position, page.stop, [])
        _log.info(
            f"{projected} rows of offsets {offsets.start} to {position - 1} of partition {partition} were projected "
            f"in {time.monotonic() - started:.1f} s; offsets without a row are those of transactions"
        )

    def _project(self, partition: int, first: int, end: int, rows: Sequence[Row]) -> int:
        """Apply the rows before the offset `end`; return the offset to continue at."""
        self._capacity.keep()
        position = first
        while position < end:
            left = [row for row in rows if row.offset >= position]
            made = records_of(left, self._store.are_pending)
            # It stays if a pending event was reverted meanwhile, and is greater if another projection was here.
            position = self._store.project(partition, range(position, end), made, self._capacity.is_full)
            if position < first:
                raise StoreLostError("the store has gone back")
        return position
