"""The live views: a family's view, and the records that the table does not have yet, as SQL for Trino."""

from game_events.event_ids import SERVICE_MADE
from game_events.once import ONCE_HOURS
from game_events.table import view_columns
from game_events.texts import valid_events

_RECENT = 1
"""Hours. Records whose event is older, by received_at, are shown once the table has them."""

_DAY = f"INTERVAL '{ONCE_HOURS}' HOUR"


def live_query(family: str, events: str, tail: str) -> str:
    """Select the rows of the family's view, and from `tail` the events that the table `events` does not have.

    `tail` has the columns kafka_partition, kafka_offset and value of records that `events` does not have. Their events
    count by the once rule, except that an event that may be an attempt at one in the table waits until it is there.
    """
    columns = view_columns(family)
    names = ", ".join(column.split(" AS ")[-1] for column in columns)
    new = _new(family, events, tail)
    return f"SELECT {names} FROM {family} UNION ALL SELECT {', '.join(columns)} FROM ({new}) AS new"


def _new(family: str, events: str, tail: str) -> str:
    key = "player, event_type, event_id"
    # The topic's order, backwards, as in game_events.once.
    window = f"PARTITION BY {key} ORDER BY kafka_partition DESC, kafka_offset DESC"
    later = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    attempt = f"(coalesce(idempotent, false) OR event_id LIKE '{SERVICE_MADE}')"
    read = valid_events(family, tail, ("kafka_partition", "kafka_offset"))
    return (
        "SELECT new.* FROM ("
        "SELECT player AS known_player, event_type AS known_type, event_id AS known_id, received_at AS known_at, "
        "coalesce(idempotent, false) AND counts IS NULL AS may_yield, coalesce(idempotent, false) AS is_retry "
        f"FROM {events} WHERE family = '{family}' AND {attempt} "
        f"AND received_at >= current_timestamp - INTERVAL '{ONCE_HOURS + _RECENT}' HOUR"
        ") AS known RIGHT JOIN ("
        f"SELECT *, received_at - {_DAY} AS since, received_at + {_DAY} AS until FROM ("
        f"SELECT *, coalesce(idempotent, false) AS is_marked, event_id LIKE '{SERVICE_MADE}' AS is_service_made, "
        f"lead(received_at) OVER ({window}) AS previous, "
        f"min(CASE WHEN NOT coalesce(idempotent, false) THEN received_at END) OVER ({window} {later}) AS certain "
        f"FROM ({read}) AS valid WHERE received_at >= current_timestamp - INTERVAL '{_RECENT}' HOUR"
        f") AS attempts WHERE NOT is_marked OR ({_apart('previous')} AND {_apart('certain')})"
        ") AS new ON known_player = new.player AND known_type = new.event_type AND known_id = new.event_id "
        "AND known_at >= since AND known_at <= until AND (is_marked OR (is_service_made AND may_yield)) "
        "WHERE known_player IS NULL"
    )


def _apart(other: str) -> str:
    return f"({other} IS NULL OR received_at > {other} + {_DAY} OR received_at < {other} - {_DAY})"
