"""The comparison itself: players' attempts, Kafka's records, the table's rows and what the views show."""

from collections.abc import Iterable, Mapping

from game_api.log.event_log import Outcome
from game_events import ERASED, REJECTED

from testbed.audit.places import Place, Record, Row
from testbed.audit.stage import Stage
from testbed.simulator.ledger import Attempt, run_of


class _Event:
    """A players' event: its acknowledgements, its places in Kafka, its rows, and how often the views show it."""

    __slots__ = ("acked", "found", "rows", "shown", "unknown")

    def __init__(self) -> None:
        self.acked: list[Place] = []
        self.unknown = 0
        self.found: list[Place] = []
        self.rows = 0
        self.shown = 0


class Reconciliation:
    """Takes each partition's window of offsets chunk by chunk, then the events that the views show, and concludes.

    `kept_from` is the first offset that Kafka still has. Before it, the table replaces Kafka, and must have no gap.
    An event acknowledged after `as_of` may lie beyond its window; then it is not compared.
    """

    def __init__(self, attempts: Iterable[Attempt], windows: Mapping[int, range], as_of: float) -> None:
        self.players = Stage("players → Kafka", "events of players")
        self.table = Stage("Kafka → table", "offsets")
        self.views = Stage("table → views", "events of players")
        self._events: dict[str, _Event] = {}
        self._erased: set[Place] = set()
        for attempt in attempts:
            event = self._events.setdefault(attempt.key, _Event())
            if attempt.outcome is Outcome.UNKNOWN:
                event.unknown += 1
            elif attempt.partition is not None and attempt.offset is not None:
                window = windows.get(attempt.partition, range(attempt.offset + 1))
                expired = attempt.offset < window.start
                is_later = attempt.offset >= window.stop and attempt.time > as_of
                if not expired and not is_later:
                    event.acked.append(Place(attempt.partition, attempt.offset))
        self._runs = {run_of(key) for key in self._events}

    @property
    def stages(self) -> list[Stage]:
        return [self.players, self.table, self.views]

    def add_chunk(
        self, partition: int, offsets: range, kept_from: int, records: Iterable[Record], rows: Iterable[Row]
    ) -> None:
        """Compare Kafka and the table at these offsets."""
        record_at = {record.offset: record for record in records}
        row_at: dict[int, Row] = {}
        for row in rows:
            if row.offset in row_at:
                self.table.doubled.add(f"{Place(partition, row.offset)} {_named(row)}")
            row_at[row.offset] = row
        for offset in offsets:
            place, record, row_here = Place(partition, offset), record_at.get(offset), row_at.get(offset)
            kept = offset >= kept_from
            self._compare(place, kept, record, row_here)
            self._attribute(place, kept, record, row_here)

    def add_beyond(self, partition: int, offsets: range) -> None:
        """Add rows at offsets beyond Kafka's end."""
        self.table.compared += len(offsets)
        sample = f"{Place(partition, offsets.start)}-{offsets.stop - 1}: rows, beyond Kafka's end"
        self.table.differing.add(sample, len(offsets))

    def add_shown(self, event_ids: Iterable[str]) -> None:
        """Add the ids of events that the views show, each as often as they show it."""
        for event_id in event_ids:
            if event := self._events.get(event_id):
                event.shown += 1

    def conclude(self) -> list[Stage]:
        for key, event in self._events.items():
            self._conclude_players(key, event)
            self._conclude_views(key, event)
        return self.stages

    def _compare(self, place: Place, kept: bool, record: Record | None, row: Row | None) -> None:
        if kept and record is None and row is None:
            # Not every offset has a record: Kafka uses some itself.
            return
        self.table.compared += 1
        if row is None:
            self.table.lost.add(f"{place} {_named(record) if record else 'which Kafka no longer has'}")
        elif kept and record is None:
            self.table.differing.add(f"{place}: no record, but the row {_named(row)}")
        elif record and not _same(record, row):
            self.table.differing.add(f"{place}: record {_named(record)}, row {_named(row)}{_difference(record, row)}")

    def _attribute(self, place: Place, kept: bool, record: Record | None, row: Row | None) -> None:
        """Add this place to the players' event that it belongs to."""
        if row and row.family == ERASED:
            if not kept:
                self._erased.add(place)
        elif row and (event := self._events.get(row.event_id or (record and record.event_id) or "")):
            event.rows += 1
        event_id = record.event_id if record else row.event_id if row and not kept else None
        if event_id in self._events:
            self._events[event_id].found.append(place)
        elif event_id and run_of(event_id) in self._runs:
            self.players.differing.add(f"{place} {event_id}: in no ledger")

    def _conclude_players(self, key: str, event: _Event) -> None:
        self.players.compared += 1
        found = " and ".join(map(str, event.found))
        for place in event.acked:
            if place in event.found or place in self._erased:
                continue
            if found:
                self.players.differing.add(f"{place} {key}: acknowledged there, found at {found}")
            else:
                self.players.lost.add(f"{place} {key}")
        if len(set(event.acked)) < len(event.acked):
            self.players.differing.add(f"{event.acked[0]} {key}: two attempts acknowledged at one place")
        if event.found and not event.acked and not event.unknown:
            self.players.differing.add(f"{found} {key}: refused, but written")
        elif len(event.found) > len(event.acked) + event.unknown:
            self.players.doubled.add(f"{found} {key}")

    def _conclude_views(self, key: str, event: _Event) -> None:
        expected = min(event.rows, 1)
        self.views.compared += expected
        if event.shown < expected:
            self.views.lost.add(f"{event.found[0] if event.found else 'a row'} {key}")
        elif event.shown > expected:
            self.views.doubled.add(f"{key}: {event.rows} rows, shown {event.shown} times")


def _same(record: Record, row: Row) -> bool:
    if row.family == ERASED:
        return True
    if row.family == REJECTED:
        return row.digest == record.digest and row.content in record.contents
    return row.event_id is not None and row.event_id == record.event_id and row.content in record.contents


def _difference(record: Record, row: Row) -> str:
    """Name the difference between a record and a row of the same event."""
    return " with other values" if _named(record) == _named(row) else ""


def _named(one: Record | Row) -> str:
    return one.event_id or f"with the SHA-256 {(one.digest or 'none')[:12]}"
