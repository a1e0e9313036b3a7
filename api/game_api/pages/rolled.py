"""The dashboard's queries over rollups, so that their cost depends on the undecided rows only.

Trino reads two tables at two moments, so each query names a snapshot of both. It is exact as of that of `events`. This
is the newest one; or, while maintenance adds up decided rows that changed, the last one before that.
If the rollups are missing, do not certainly fit, or have not followed such a change, all events are added up.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from game_events.rollups import BASE, EVENTS_SNAPSHOT, LAST_RECORDS, REJECTED_SINCE, SETTLED, events_snapshot, is_change
from game_events.table import rejected_query

from game_api.pages.queries import FRESHNESS, QUERIES, added_up, rejected
from game_api.pages.query_cache import QueryFailedError, Rows

_WRITERS = 20
"""So many of the newest snapshots are read for it, because several writers may commit at once."""
_LAST_OFFSETS = 1_000
"""Of each partition, the newest time is looked for among so many of its last offsets."""

_CHANGE_PATIENCE = timedelta(seconds=60)
"""So long the rollups may lack decided rows that another job changed: they may do so until maintenance runs again."""
_SETTLED_PATIENCE = timedelta(minutes=10)
"""So long they may lack an hour that maintenance has settled: it adds the hour up at once, which takes a while."""
_METADATA_SECONDS = 2
"""So long what the snapshots say is not asked again: the queries of one refresh then show the same rows."""

_MAIN = "snapshot_id = (SELECT snapshot_id FROM lake.default.\"{}$refs\" WHERE name = 'main')"


def _said(name: str) -> str:
    return f"element_at(summary, '{name}')"


METADATA = f"""
SELECT
    'events' AS name,
    snapshot_id,
    parent_id,
    operation,
    committed_at,
    now() AS read_at,
    {_MAIN.format("events")} AS is_current,
    {_said(SETTLED)} AS settled,
    CASE WHEN row_number() OVER (ORDER BY committed_at DESC) <= {_WRITERS}
        THEN {_said(LAST_RECORDS)} END AS last_records,
    NULL AS base,
    NULL AS events_snapshot,
    NULL AS rejected_since
FROM lake.default."events$snapshots"
UNION ALL
SELECT
    'rollups',
    snapshot_id,
    parent_id,
    operation,
    NULL,
    NULL,
    true,
    NULL,
    NULL,
    {_said(BASE)},
    {_said(EVENTS_SNAPSHOT)},
    {_said(REJECTED_SINCE)}
FROM lake.default."rollups$snapshots"
WHERE {_MAIN.format("rollups")}
""".strip()
"""The query of what the snapshots of both tables say."""

_Snapshots = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class _Versions:
    """The snapshots of both tables that together have each row once."""

    events: int
    rollups: int
    rejected_since: str | None


class RolledQueries:
    """The dashboard's queries, by their name."""

    def __init__(self, run: Callable[[str], Rows]) -> None:
        self._run = run
        self._metadata: Rows = []
        self._read_at = -float(_METADATA_SECONDS)

    def rows(self, name: str) -> Rows:
        """Run a query. Raises UnavailableError, QueryFailedError."""
        if name == "activity":
            return self._run(QUERIES[name])
        if monotonic() >= self._read_at + _METADATA_SECONDS:
            try:
                self._metadata = self._run(METADATA)
            except QueryFailedError:
                self._metadata = []
            self._read_at = monotonic()
        return self._run(query(name, self._metadata))


def query(name: str, metadata: Rows) -> str:
    """Return a query of the dashboard, by the result of METADATA."""
    snapshots = {row["snapshot_id"]: row for row in metadata if row["name"] == "events"}
    current = next((number for number, row in snapshots.items() if row["is_current"]), None)
    if name == "freshness":
        return _freshness(_last_offsets(snapshots, current))
    rollups = next((row for row in metadata if row["name"] == "rollups"), None)
    versions = _versions(snapshots, current, rollups) if rollups else None
    return _pinned(versions)[name] if versions else QUERIES[name]


def _versions(snapshots: _Snapshots, current: int | None, rollups: Mapping[str, Any]) -> _Versions | None:
    start = events_snapshot(rollups["parent_id"], rollups["base"], rollups["events_snapshot"])
    if start is None:
        return None
    later: list[int] = []
    number = current
    while number != start:
        if number is None or number not in snapshots:
            return None
        later.append(number)
        number = snapshots[number]["parent_id"]
    newest = start
    for one in reversed(later):
        if is_change(snapshots[one]["operation"], snapshots[one]["settled"]):
            patience = _SETTLED_PATIENCE if snapshots[one]["settled"] else _CHANGE_PATIENCE
            if snapshots[one]["read_at"] - snapshots[one]["committed_at"] > patience:
                return None
            break
        newest = one
    # Others may have expired the snapshot.
    return _Versions(newest, rollups["snapshot_id"], rollups["rejected_since"]) if newest in snapshots else None


def _pinned(versions: _Versions) -> dict[str, str]:
    rollups = f"lake.default.rollups FOR VERSION AS OF {versions.rollups}"
    queries = added_up(
        lambda one: (
            f"{one.totals(rollups)} UNION ALL "
            f"SELECT {', '.join(one.names)} FROM ({one.undecided_parts('events')}) AS undecided"
        )
    )
    # Two conditions, each of which excludes files; their disjunction would not.
    records = "SELECT * FROM events WHERE counts IS NULL"
    if versions.rejected_since:
        decided = f"counts IS NOT NULL AND received_at >= TIMESTAMP '{versions.rejected_since} UTC'"
        records += f" UNION ALL SELECT * FROM events WHERE {decided}"
    queries["rejected"] = rejected(f"({rejected_query(f'({records})')})")
    events = f"WITH events AS (SELECT * FROM lake.default.events FOR VERSION AS OF {versions.events})"
    return {name: f"{events}\n{text}" for name, text in queries.items()}


def _freshness(last: Mapping[int, int]) -> str:
    if not last:
        return FRESHNESS
    parts = " UNION ALL ".join(
        "SELECT * FROM lake.default.events "
        f"WHERE kafka_partition = {partition} AND kafka_offset > {offset - _LAST_OFFSETS}"
        for partition, offset in sorted(last.items())
    )
    return f"WITH events AS ({parts})\n{FRESHNESS}"


def _last_offsets(snapshots: _Snapshots, number: int | None) -> dict[int, int]:
    """Return the last offset of each partition of which the current snapshot and its ancestors say it."""
    last: dict[int, int] = {}
    while number is not None and (row := snapshots.get(number)):
        for partition, offset in _last_records(row["last_records"] or ""):
            last[partition] = max(offset, last.get(partition, offset))
        number = row["parent_id"]
    return last


def _last_records(text: str) -> Iterator[tuple[int, int]]:
    for one in text.split():
        partition, _, record = one.partition(":")
        yield int(partition), int(record.partition("=")[0])
