"""The views' query, asked of DuckDB: which records count."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from game_events.event_ids import uuid7s
from game_events.table import COLUMNS, family_query
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attempts import counted

NOW = 1_795_465_202_000
HOUR = 3_600_000
FIRST, SECOND = uuid7s(NOW, 2)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        columns = ", ".join(f"{column.name} {column.kind.sql_type.replace('STRING', 'VARCHAR')}" for column in COLUMNS)
        connection.execute(f"CREATE TABLE events ({columns.replace('BINARY', 'BLOB')})")
        yield connection


def record(event_id: str, hours: float, is_marked: bool, player: str = "p") -> dict[str, Any]:
    event: dict[str, Any] = {"event_id": event_id, "event_type": "purchase_sword", "player": player, "strength": 1}
    return event | {"received_at": NOW + int(hours * HOUR)} | ({"idempotent": True} if is_marked else {})


def shown(database: duckdb.DuckDBPyConnection, events: list[dict[str, Any]]) -> Counter[str]:
    """Return how often the view shows which player's event."""
    database.execute("DELETE FROM events")
    for offset, event in enumerate(events):
        database.execute(
            "INSERT INTO events (family, event_id, event_type, player, strength, received_at, idempotent, "
            "kafka_partition, kafka_offset) VALUES ('purchases', ?, ?, ?, 1, make_timestamp(? * 1000), ?, 0, ?)",
            [
                event["event_id"],
                event["event_type"],
                event["player"],
                event["received_at"],
                event.get("idempotent"),
                offset,
            ],
        )
    rows = database.execute(f"SELECT player, event_id FROM ({family_query('purchases', 'events')})").fetchall()
    return Counter(f"{player} {event_id}" for player, event_id in rows)


_RECORDS = st.builds(
    record,
    st.sampled_from(["k", "l", FIRST, SECOND]),
    st.sampled_from([0, 1, 23, 25, 49, 100]),
    st.booleans(),
    st.sampled_from(["p", "q"]),
)


@given(st.lists(_RECORDS, max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_again(database: duckdb.DuckDBPyConnection, events: list[dict[str, Any]]) -> None:
    """Of any records, marked or not, in any order, the view shows those that count."""
    assert shown(database, events) == Counter(f"{one['player']} {one['event_id']}" for one in counted(events))


@pytest.mark.parametrize(
    ("hours", "times"), [([0, 1, 23], 1), ([0, 25], 2), ([0, 1, 23, 25, 49], 1), ([0, 25, 26, 51], 3), ([25, 0], 2)]
)
def test_a_key_counts_once_a_day(database: duckdb.DuckDBPyConnection, hours: list[int], times: int) -> None:
    """A key counts again when it has not been used for more than 24 hours."""
    assert shown(database, [record("k", hour, True) for hour in hours]) == {"p k": times}


@pytest.mark.parametrize("marks", [[False, True], [True, False], [True], [True, True], [False, True, True]])
def test_a_retry_under_a_service_made_id_counts_once(database: duckdb.DuckDBPyConnection, marks: list[bool]) -> None:
    """An event without a key and its retries count once, whichever of them were written, in whatever order."""
    assert shown(database, [record(FIRST, 0, is_marked) for is_marked in marks]) == {f"p {FIRST}": 1}


def test_anothers_id_hides_nothing(database: duckdb.DuckDBPyConnection) -> None:
    """A player who uses the id of another player's event neither hides that one nor loses their own."""
    events = [record(FIRST, 0, False), record(FIRST, 0, True, "q")]
    assert shown(database, events) == {f"p {FIRST}": 1, f"q {FIRST}": 1}
