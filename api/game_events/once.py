"""The once rule: which records count when a request was sent several times, as SQL that Spark and Trino both accept.

Records with the same player, event type and event id are attempts at one event. An attempt counts unless it follows the
previous one, in the topic's order, within ONCE_HOURS.

Once a day is over, maintenance decides its rows, and the column `counts` says how. A decided row keeps its decision.
The views decide all other rows by the same query whenever they are read, so a decision changes nothing that they show.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from game_events.event_ids import SERVICE_MADE

ONCE_HOURS = 24
"""A key counts again when its previous record is older than this, by received_at."""

_DAY = f"INTERVAL '{ONCE_HOURS}' HOUR"
_SERVICE_MADE = f"event_id LIKE '{SERVICE_MADE}'"
_UNMARKED = "NOT coalesce(idempotent, false)"
_KEY = ("player", "event_type", "event_id")


def undecided_attempts(columns: Sequence[str], events: str, where: str) -> str:
    """Select `columns` of the undecided marked rows of `events` that match `where`, and whether each `is_first`.

    Such an attempt is first unless the previous one is at most ONCE_HOURS away, decided or not, or a later one that
    counts for certain is: one that was decided to count, when this row is late, or the unmarked event that it retries.

    Besides the undecided rows, this reads only what their players did within ONCE_HOURS of them.
    """
    marked = f"{where} AND idempotent"
    undecided = f"{marked} AND counts IS NULL"
    # The topic's order, backwards: a frame that grows costs less than one that shrinks.
    window = f"PARTITION BY {', '.join(_KEY)} ORDER BY kafka_partition DESC, kafka_offset DESC"
    later = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    return (
        f"SELECT {_names(columns)}, {_is_apart('previous')} AND {_is_apart('certain')} AS is_first FROM ("
        f"SELECT {', '.join(columns)}, received_at AS attempted, idempotent AND counts IS NULL AS is_undecided, "
        f"lead(received_at) OVER ({window}) AS previous, "
        f"min(CASE WHEN counts OR {_UNMARKED} THEN received_at END) OVER ({window} {later}) AS certain FROM ("
        f"SELECT e.* FROM {events} AS e WHERE {undecided} "
        f"UNION ALL SELECT e.* FROM {events} AS e {_near(('player',), events, undecided)} "
        f"WHERE {marked} AND counts IS NOT NULL "
        f"UNION ALL SELECT e.* FROM {events} AS e {_near(_KEY, events, f'{undecided} AND {_SERVICE_MADE}')} "
        f"WHERE {where} AND {_UNMARKED} AND {_SERVICE_MADE}"
        ") AS attempts) AS compared WHERE is_undecided"
    )


def counted(columns: Sequence[str], events: str, where: str) -> str:
    """Select `columns` of the rows of `events` that match `where`, each event once.

    Only records marked idempotent can be repeated attempts, so unmarked ones count as long as they are undecided.
    """
    return (
        f"SELECT {', '.join(columns)} FROM {events} WHERE {where} AND coalesce(counts, {_UNMARKED}) "
        f"UNION ALL SELECT {_names(columns)} FROM ({undecided_attempts(columns, events, where)}) AS decided "
        "WHERE is_first"
    )


def undecided(columns: Sequence[str], events: str, where: str) -> str:
    """Select `columns` of the rows of `events` that match `where` and are undecided, each event once."""
    return (
        f"SELECT {', '.join(columns)} FROM {events} WHERE {where} AND counts IS NULL AND {_UNMARKED} "
        f"UNION ALL SELECT {_names(columns)} FROM ({undecided_attempts(columns, events, where)}) AS decided "
        "WHERE is_first"
    )


def repeats(events: str, day: date) -> str:
    """Select kafka_partition and kafka_offset of the undecided rows of a UTC day that do not count."""
    reach = timedelta(hours=ONCE_HOURS)
    around = _received(day - reach, day + timedelta(days=1) + reach)
    attempts = undecided_attempts(("kafka_partition", "kafka_offset", "received_at"), events, around)
    own = _received(day, day + timedelta(days=1))
    return f"SELECT kafka_partition, kafka_offset FROM ({attempts}) AS decided WHERE NOT is_first AND {own}"


def _received(since: date, until: date) -> str:
    return f"received_at >= TIMESTAMP '{since} 00:00:00' AND received_at < TIMESTAMP '{until} 00:00:00'"


def _near(key: Sequence[str], events: str, where: str) -> str:
    """Join the rows that share `key` with rows that match `where`, and were received at most ONCE_HOURS apart."""
    return (
        f"INNER JOIN (SELECT {', '.join(f'{name} AS near_{name}' for name in key)}, "
        f"min(received_at) - {_DAY} AS since, max(received_at) + {_DAY} AS until "
        f"FROM {events} WHERE {where} GROUP BY {', '.join(key)}) AS near "
        f"ON {' AND '.join(f'{name} = near_{name}' for name in key)} AND received_at >= since AND received_at <= until"
    )


def _is_apart(other: str) -> str:
    return f"({other} IS NULL OR attempted > {other} + {_DAY} OR attempted < {other} - {_DAY})"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(column.split(" AS ")[-1] for column in columns)
