"""Which snapshots the dashboard's queries read together, by what the tables' metadata says."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from game_api.pages.queries import QUERIES
from game_api.pages.query_cache import QueryFailedError, Rows
from game_api.pages.rolled import METADATA, RolledQueries, query

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ADDED_UP = ("purchases", "wars", "players", "rejected")


def events(*operations: str, age: int = 0) -> Rows:
    """A history of `events`, as METADATA returns it, whose snapshots are 1, 2, …; `settle` is a settled day.

    The last commit is `age` seconds old, and one second passed between two.
    """
    return [
        {
            "name": "events",
            "snapshot_id": number,
            "parent_id": number - 1 or None,
            "operation": "replace" if operation == "settle" else operation,
            "committed_at": NOW - timedelta(seconds=age + len(operations) - number),
            "read_at": NOW,
            "is_current": number == len(operations),
            "settled": "2026-11-26" if operation == "settle" else None,
            "last_records": None,
        }
        for number, operation in enumerate(operations, 1)
    ]


def rollups(snapshot: int, **changes: Any) -> Rows:  # noqa: ANN401
    """The snapshot 8 of `rollups`, which has the decided rows of a snapshot of `events`."""
    row = {"name": "rollups", "snapshot_id": 8, "parent_id": 7, "base": "7", "events_snapshot": str(snapshot)}
    return [row | {"rejected_since": None} | changes]


def read(metadata: Rows) -> int | None:
    """Return the snapshot of `events` that is read beside the rollups; None if all events are added up."""
    found = {re.search(r"events FOR VERSION AS OF (\d+)", query(name, metadata)) for name in ADDED_UP}
    if found == {None}:
        assert {name: query(name, metadata) for name in ADDED_UP} == {name: QUERIES[name] for name in ADDED_UP}
        return None
    [number] = {int(one[1]) for one in found if one}
    return number


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ((), 2),
        (("append", "replace", "append"), 5),
        (("append", "settle", "append"), 3),
        (("overwrite", "append"), 2),
        (("append", "delete"), 3),
    ],
    ids=["the same", "new and merged files", "a settled day", "an erasure", "retention"],
)
def test_the_newest_snapshot_that_fits(later: tuple[str, ...], expected: int) -> None:
    """The newest snapshot of `events` is read before which no decided row changed since that of the rollups."""
    assert read(events("append", "settle", *later) + rollups(2)) == expected


@pytest.mark.parametrize(
    "metadata",
    [
        events("append", "append"),
        rollups(1),
        events("append", "append") + rollups(9),
        events("append", "append") + rollups(1, base="6"),
        events("append", "append") + rollups(1, events_snapshot=None, base=None),
        events("append", "append", "append")[2:] + rollups(1),
        events("append", "settle")[1:] + rollups(1),
    ],
    ids=["no rollups", "no rows", "rolled back", "two writers", "another writer", "a gap", "expired"],
)
def test_rollups_that_do_not_fit(metadata: Rows) -> None:
    """If it is not certain which rows the rollups have, all events are added up."""
    assert read(metadata) is None


def test_a_change_that_the_rollups_do_not_follow() -> None:
    """All events are added up if the rollups lack what was changed a minute ago, or settled ten minutes ago."""
    assert read(events("append", "overwrite", age=60) + rollups(1)) == 1
    assert read(events("append", "overwrite", age=61) + rollups(1)) is None
    assert read(events("append", "settle", age=600) + rollups(1)) == 1
    assert read(events("append", "settle", age=601) + rollups(1)) is None
    assert read(events("append", "append", age=3_600) + rollups(1)) == 2


def test_an_expired_snapshot_is_not_needed() -> None:
    """The snapshot of the rollups may have expired, if a later one has the same decided rows."""
    assert read(events("append", "append", "append")[1:] + rollups(1)) == 3


def test_rejected_records_of_decided_rows_are_bounded() -> None:
    """Of decided rows only those are read that can be among the newest rejected records."""
    text = query("rejected", events("append") + rollups(1, rejected_since="2026-11-26 10:00:00"))
    assert "counts IS NOT NULL AND received_at >= TIMESTAMP '2026-11-26 10:00:00 UTC'" in text
    assert "counts IS NOT NULL" not in query("rejected", events("append") + rollups(1))


def test_freshness_reads_the_last_offsets() -> None:
    """Of each partition the last offsets are read that the current snapshot and its ancestors name."""
    history = events("append", "append", "append")
    said = ("1:70=ab 0:5000=cd", "0:6000=ef", None)
    metadata = [row | {"last_records": records} for row, records in zip(history, said, strict=True)]
    text = query("freshness", metadata)
    assert re.findall(r"kafka_partition = (\d+) AND kafka_offset > (-?\d+)", text) == [("0", "5000"), ("1", "-930")]
    assert query("freshness", history) == QUERIES["freshness"]


def test_queries_of_one_refresh_read_the_same_snapshots() -> None:
    """What the snapshots say is asked once for the queries that follow each other."""
    asked = []

    def run(text: str) -> Rows:
        asked.append(text)
        return events("append") + rollups(1) if text == METADATA else []

    rolled = RolledQueries(run)
    for name in ADDED_UP:
        rolled.rows(name)
    assert asked == [METADATA, *(query(name, events("append") + rollups(1)) for name in ADDED_UP)]


def test_without_the_table() -> None:
    """Where the metadata cannot be read, all events are added up."""
    asked = []

    def run(text: str) -> Rows:
        asked.append(text)
        if text == METADATA:
            raise QueryFailedError("no such table")
        return []

    RolledQueries(run).rows("players")
    assert asked == [METADATA, QUERIES["players"]]
