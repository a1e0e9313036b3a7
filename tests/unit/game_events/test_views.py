"""The once rule on DuckDB: which records the views count, and that the dashboard counts the same ones."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from game_api.pages.queries import QUERIES
from game_events.event_ids import uuid7s
from game_events.once import repeats
from game_events.rules import START
from game_events.table import COLUMNS, family_query
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.attempts import counted

NOW = 1_795_465_202_000
HOUR = 3_600_000
FIRST, SECOND = uuid7s(NOW, 2)
VIEWS = ("purchases", "declarations", "diplomacy")

Event = dict[str, Any]


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        columns = ", ".join(f"{column.name} {column.kind.sql_type.replace('STRING', 'VARCHAR')}" for column in COLUMNS)
        connection.execute(f"CREATE TABLE events ({columns.replace('BINARY', 'BLOB')})")
        for family in VIEWS:
            connection.execute(f"CREATE VIEW {family} AS {family_query(family, 'events')}")
        yield connection


def record(event_id: str, hours: float, is_marked: bool, player: str = "p", **changes: Any) -> Event:  # noqa: ANN401
    event = {"family": "purchases", "event_type": "purchase_bow", "strength": 2, "gold": -15} | changes
    event |= {"event_id": event_id, "player": player, "received_at": NOW + int(hours * HOUR)}
    return event | ({"idempotent": True} if is_marked else {})


def write(database: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    """Replace the rows of `events` with these, at the offsets of their order."""
    database.execute("DELETE FROM events")
    add(database, dict(enumerate(events)))


def add(database: duckdb.DuckDBPyConnection, events: dict[int, Event]) -> None:
    """Add undecided rows at these offsets."""
    for offset, event in events.items():
        row = event | {"kafka_partition": 0 if event["player"] == "p" else 1, "kafka_offset": offset}
        values = ["make_timestamp(? * 1000)" if name == "received_at" else "?" for name in row]
        database.execute(f"INSERT INTO events ({', '.join(row)}) VALUES ({', '.join(values)})", list(row.values()))


def rows(database: duckdb.DuckDBPyConnection, query: str) -> list[Event]:
    found = database.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def shown(database: duckdb.DuckDBPyConnection, events: list[Event]) -> Counter[str]:
    """Return how often the view shows each player's event."""
    write(database, events)
    return Counter(f"{row['player']} {row['event_id']}" for row in rows(database, "SELECT * FROM purchases"))


def places(database: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Return the places of the rows that the view shows."""
    found = rows(database, "SELECT kafka_partition, kafka_offset FROM purchases")
    return sorted((row["kafka_partition"], row["kafka_offset"]) for row in found)


def settle(database: duckdb.DuckDBPyConnection, periods: Iterable[tuple[int, int]]) -> Iterator[None]:
    """Decide the rows of these periods, in hours from midnight before NOW, as maintenance does: after each, yield."""
    midnight = datetime.fromtimestamp(NOW / 1000, UTC).replace(hour=0, minute=0, second=0)
    for since, until in ((midnight + timedelta(hours=one) for one in period) for period in periods):
        repeated = f"(kafka_partition, kafka_offset) IN ({repeats('events', since, until)})"
        own = f"received_at >= TIMESTAMP '{since:%Y-%m-%d %X}' AND received_at < TIMESTAMP '{until:%Y-%m-%d %X}'"
        database.execute(f"UPDATE events SET counts = NOT {repeated} WHERE counts IS NULL AND {own}")
        yield


def whole(days: Iterable[int]) -> list[tuple[int, int]]:
    return [(24 * day, 24 * day + 24) for day in days]


def histories(*hours: float) -> st.SearchStrategy[list[Event]]:
    """Records in the topic's order: clocks differ by seconds."""
    return st.lists(
        st.builds(
            record,
            st.sampled_from(["k", "l", FIRST, SECOND]),
            st.sampled_from([hour + skew for hour in hours for skew in (0, 0.002)]),
            st.booleans(),
            st.sampled_from(["p", "q"]),
        ),
        max_size=9,
    ).map(lambda events: sorted(events, key=lambda event: round((event["received_at"] - NOW) / HOUR)))


_RECORDS = histories(0, 1, 23, 25, 47, 49, 100)


@given(_RECORDS)
@settings(max_examples=150)
def test_the_view_shows_the_records_that_count(database: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    """For any records, marked or not, in any order, the view shows exactly those that count."""
    assert shown(database, events) == Counter(f"{one['player']} {one['event_id']}" for one in counted(events))


@pytest.mark.parametrize(
    ("hours", "times"), [([0, 1, 23], 1), ([0, 25], 2), ([0, 1, 23, 25, 49], 1), ([0, 25, 26, 51], 3), ([25, 0], 2)]
)
def test_a_key_counts_once_a_day(database: duckdb.DuckDBPyConnection, hours: list[int], times: int) -> None:
    """A key counts again when it has not been used for more than 24 hours."""
    assert shown(database, [record("k", hour, True) for hour in hours]) == {"p k": times}


@pytest.mark.parametrize("marks", [[False, True], [True, False], [True], [True, True], [False, True, True]])
def test_a_retry_under_a_service_made_id_counts_once(database: duckdb.DuckDBPyConnection, marks: list[bool]) -> None:
    """An event without a key and its retries count once, whichever of them were written, in any order."""
    assert shown(database, [record(FIRST, 0, is_marked) for is_marked in marks]) == {f"p {FIRST}": 1}


def test_another_players_id_hides_nothing(database: duckdb.DuckDBPyConnection) -> None:
    """A player who uses the id of another player's event neither hides that event nor loses their own."""
    events = [record(FIRST, 0, False), record(FIRST, 0, True, "q")]
    assert shown(database, events) == {f"p {FIRST}": 1, f"q {FIRST}": 1}


_HOURS = st.lists(
    st.builds(lambda since, length: (since, since + length), st.integers(0, 150), st.sampled_from([1, 2, 5, 24])),
    max_size=12,
)
_DAYS = st.permutations(range(6)).map(whole)


@given(_RECORDS, _HOURS | _DAYS)
@settings(max_examples=150)
def test_settled_periods_change_nothing(
    database: duckdb.DuckDBPyConnection, events: list[Event], periods: list[tuple[int, int]]
) -> None:
    """Whichever hours or days are settled, again, and in any order, the view shows the same."""
    write(database, events)
    first = places(database)
    for _ in settle(database, [*periods, *whole(range(6))]):
        assert places(database) == first
    assert not rows(database, "SELECT * FROM events WHERE counts IS NULL")


@given(_RECORDS, st.integers(0, 3))
@example([record("k", hours, True) for hours in (0.002, 0, 24.001)], 1)
@settings(max_examples=60)
def test_each_hour_is_settled_while_events_arrive(
    database: duckdb.DuckDBPyConnection, events: list[Event], slack: int
) -> None:
    """As hours pass and are settled, the view always shows the records that count of those that have arrived."""
    # An event without a key reaches the topic within an hour of its retry.
    first = {(one["player"], one["event_id"]): one["received_at"] for one in reversed(events)}
    late = [one["received_at"] > first[one["player"], one["event_id"]] + HOUR / 2 for one in events]
    events = [one | {"idempotent": True} if is_late else one for one, is_late in zip(events, late, strict=True)]
    database.execute("DELETE FROM events")
    midnight = NOW - NOW % (24 * HOUR)
    for hour in range(150):
        known = [one for one in enumerate(events) if one[1]["received_at"] < midnight + (hour + 1) * HOUR]
        arrived = [one for one in known if one[1]["received_at"] >= midnight + hour * HOUR]
        add(database, dict(arrived))
        if not arrived and hour % 24:
            continue
        expected = Counter(f"{one['player']} {one['event_id']}" for one in counted(one for _, one in known))
        view = "SELECT player, event_id FROM purchases"
        assert Counter(f"{row['player']} {row['event_id']}" for row in rows(database, view)) == expected
        for _ in settle(database, [(0, hour - slack)]):
            assert Counter(f"{row['player']} {row['event_id']}" for row in rows(database, view)) == expected


@given(histories(0, 0.5, 4, 11, 23), st.sets(st.integers(0, 8)))
@settings(max_examples=100)
def test_late_attempts_count_once(database: duckdb.DuckDBPyConnection, events: list[Event], late: set[int]) -> None:
    """Attempts that arrive after the others were decided count with them, before and after they are decided."""
    late = {offset for offset in late if offset < len(events) and events[offset].get("idempotent")}
    expected = Counter(f"{one['player']} {one['event_id']}" for one in counted(events))
    database.execute("DELETE FROM events")
    add(database, {offset: event for offset, event in enumerate(events) if offset not in late})
    assert all(True for _ in settle(database, whole(range(3))))
    add(database, {offset: events[offset] for offset in late})
    view = "SELECT player, event_id FROM purchases"
    assert Counter(f"{row['player']} {row['event_id']}" for row in rows(database, view)) == expected
    first = places(database)
    for _ in settle(database, whole(range(3))):
        assert places(database) == first


def test_a_decided_row_is_not_decided_again(database: duckdb.DuckDBPyConnection) -> None:
    """The view shows the decided rows that count, whatever the rule would say now."""
    write(database, [record("a", 0, True), record("a", 1, True), record("b", 0, True)])
    database.execute("UPDATE events SET counts = kafka_offset > 0")
    assert places(database) == [(0, 1), (0, 2)]


@given(_RECORDS)
@settings(max_examples=150)
def test_the_dashboard_counts_what_the_view_shows(database: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    """For any records, marked or not, the dashboard's purchases and players are sums over the rows of the view."""
    write(database, events)
    bought = Counter(row["player"] for row in rows(database, "SELECT player FROM purchases"))
    assert sum(row["number"] for row in rows(database, QUERIES["purchases"])) == bought.total()
    players = {row["player"]: (row["power"], row["gold"]) for row in rows(database, QUERIES["players"])}
    assert players == {player: (2 * times, START["gold"] - 15 * times) for player, times in bought.items()}


@pytest.mark.parametrize(
    ("occurred", "sent", "shown"),
    [
        (None, None, 0),
        (None, -5, 0),
        (-2, None, -2),
        (2, None, 0),
        (-1002, -1000, -2),
        (998, 1000, -2),
        (1002, 1000, 0),
        (-24 * 91, 0, -24 * 90),
        (-490_000, -489_000, -1000),
    ],
)
def test_the_view_corrects_the_clients_clock(
    database: duckdb.DuckDBPyConnection, occurred: int | None, sent: int | None, shown: int
) -> None:
    """An event happened so long before its reception as its client says, but not later, and at most 90 days before."""
    write(database, [record("a", 0, False) | {"sequence": 3}])
    for name, hours in {"occurred_at": occurred, "sent_at": sent}.items():
        if hours is not None:
            database.execute(f"UPDATE events SET {name} = make_timestamp({(NOW + hours * HOUR) * 1000})")
    [row] = rows(database, "SELECT occurred_at, timestamp, sequence FROM purchases")
    assert row["occurred_at"] == row["timestamp"] + timedelta(hours=shown)
    assert row["sequence"] == 3


def test_free_gear_gives_no_power(database: duckdb.DuckDBPyConnection) -> None:
    """In the dashboard's ranking, as in the world, power is the strength of gear that was paid for."""
    write(database, [record("a", 0, True), record("b", 0, True, event_type="purchase_sword", gold=None)])
    assert [row["power"] for row in rows(database, QUERIES["players"])] == [2]


def test_a_retried_tribute_is_paid_once(database: duckdb.DuckDBPyConnection) -> None:
    """In the dashboard's ranking, both sides of a payment count once per day of its key, as in the view."""
    tribute: Event = {"family": "diplomacy", "event_type": "pay_tribute", "target": "q", "gold": -10, "target_gold": 10}
    write(database, [record("k", hours, True, **tribute, strength=None) for hours in (0, 1, 30)])
    assert rows(database, "SELECT count(*) AS number FROM diplomacy") == [{"number": 2}]
    players = {row["player"]: row["gold"] for row in rows(database, QUERIES["players"])}
    assert players == {"p": START["gold"] - 20, "q": START["gold"] + 20}


@pytest.mark.parametrize("event_id", ["k", FIRST])
def test_a_retried_declaration_keeps_its_first_time(database: duckdb.DuckDBPyConnection, event_id: str) -> None:
    """A war begins at the first attempt to declare it, as in the view; the retry does not begin it again."""
    war: Event = {"family": "declarations", "event_type": "declare_war", "target": "q", "strength": None, "gold": None}
    write(database, [record(event_id, hours, event_id == "k" or hours > 0, **war) for hours in (0, 0.1)])
    [declared] = rows(database, "SELECT timestamp FROM declarations")
    [found] = rows(database, QUERIES["wars"])
    assert (found["player"], found["target"], found["event_type"]) == ("p", "q", "declare_war")
    assert found["since"] == declared["timestamp"]
