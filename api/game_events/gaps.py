"""The view `session_gaps`: which of the numbers that clients gave to their events are rows, session by session."""

SESSION_GAPS = "session_gaps"
"""The view's name."""

COMMENT = "Per player and session: which of the sequence numbers of the clients' events are rows, and how many are not"

COLUMN_COMMENTS = {
    "events": "How many sequence numbers of the session are rows; a retried event counts once",
    "first": "The lowest of them",
    "last": "The highest of them",
    "missing": "How many numbers from 0 to the highest are no rows: still on the device, or dropped and named there",
    "first_received": "When the first of these rows was received",
    "last_received": "When the last of these rows was received",
}


def gaps_query(events: str) -> str:
    """Select the sessions from the table `events` (its full name), as SQL for Trino.

    Attempts at one event have the same number, so that this needs no once rule and reads five columns once.
    """
    numbers = "count(DISTINCT sequence)"
    return (
        f"SELECT player, session_id, {numbers} AS events, min(sequence) AS first, max(sequence) AS last, "
        f"max(sequence) + 1 - {numbers} AS missing, min(received_at) AS first_received, "
        f"max(received_at) AS last_received FROM {events} "
        "WHERE session_id IS NOT NULL AND sequence IS NOT NULL GROUP BY player, session_id"
    )
