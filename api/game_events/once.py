"""The once rule: which records count when a request was sent several times, as SQL that Spark and Trino both accept.

Records with the same player, event type and event id are attempts at one event. An attempt counts unless it follows the
previous one, in the topic's order, within ONCE_HOURS.
"""

from collections.abc import Sequence

from game_events.event_ids import SERVICE_MADE

ONCE_HOURS = 24
"""A key counts again when its previous record is older than this, by received_at."""


def first_attempts(columns: Sequence[str], events: str, where: str) -> str:
    """Select `columns` of the rows of `events` that match `where` and are the first attempt at an event."""
    return (
        f"SELECT {_names(columns)} FROM (SELECT {', '.join(columns)}, received_at AS attempted, "
        "lag(received_at) OVER (PARTITION BY player, event_type, event_id ORDER BY kafka_partition, kafka_offset) "
        f"AS previously_attempted FROM {events} WHERE {where}) AS attempts WHERE previously_attempted IS NULL "
        f"OR attempted > previously_attempted + INTERVAL '{ONCE_HOURS}' HOUR "
        f"OR attempted < previously_attempted - INTERVAL '{ONCE_HOURS}' HOUR"
    )


def counted(columns: Sequence[str], events: str, where: str) -> str:
    """Select `columns` of the rows of `events` that match `where`, each event once.

    Only records marked idempotent can be repeated attempts, so unmarked records skip the window function. A marked
    record with a service-made id retries an unmarked one and counts only if the unmarked one was not written. That
    check reads only the ids that retries carry.
    """
    marked = f"{where} AND idempotent"
    unmarked = f"{where} AND NOT coalesce(idempotent, false)"
    service_made = f"event_id LIKE '{SERVICE_MADE}'"
    keyed = [*columns, "player AS of_player", "event_type AS of_type", "event_id AS of_id"]
    return (
        f"SELECT {', '.join(columns)} FROM {events} WHERE {unmarked} "
        f"UNION ALL SELECT {_names(columns)} FROM ({first_attempts(keyed, events, marked)}) AS marked_events "
        "LEFT JOIN (SELECT DISTINCT player AS first_player, event_type AS first_type, event_id AS first_id "
        f"FROM {events} INNER JOIN (SELECT DISTINCT player AS retry_player, event_type AS retry_type, "
        f"event_id AS retry_id FROM {events} WHERE {marked} AND {service_made}) AS retries "
        f"ON player = retry_player AND event_type = retry_type AND event_id = retry_id "
        f"WHERE {unmarked} AND {service_made}) AS unmarked_events "
        "ON of_player = first_player AND of_type = first_type AND of_id = first_id WHERE first_id IS NULL"
    )


def _names(columns: Sequence[str]) -> str:
    return ", ".join(column.split(" AS ")[-1] for column in columns)
