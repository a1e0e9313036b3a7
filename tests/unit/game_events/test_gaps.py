"""The view `session_gaps`, on DuckDB."""

import duckdb
from game_events.gaps import gaps_query


def test_missing_numbers_are_counted_per_session() -> None:
    """Retries have one number, sessions and players are apart, and events without a session are left out."""
    sent = [
        *(("p", "one", number) for number in (0, 1, 1, 4)),
        *(("p", "two", number) for number in (2, 3)),
        *(("q", "one", number) for number in (1, 0)),
        ("p", None, None),
        ("p", "unnumbered", None),
    ]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE events (player TEXT, session_id TEXT, sequence INT, received_at TIMESTAMP)")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, TIMESTAMP '2026-11-28')", sent)
        gaps = connection.execute(
            f"SELECT player, session_id, events, first, last, missing FROM ({gaps_query('events')}) ORDER BY ALL"
        ).fetchall()
    assert gaps == [("p", "one", 3, 0, 4, 2), ("p", "two", 2, 2, 3, 2), ("q", "one", 2, 0, 1, 0)]
