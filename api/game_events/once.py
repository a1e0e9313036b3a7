"""The once rule: which records count when a request was sent several times, as SQL that Spark and Trino both accept.

Records with the same player, event type and event id are attempts at one event. An attempt counts unless it follows the
previous one, in the topic's order, within ONCE_HOURS.

Once an hour is over, maintenance decides its rows, and the column `counts` says how. A decided row keeps its decision.
The views decide all other rows by the same query whenever they are read, so a decision changes nothing that they show.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from game_events.event_ids import SERVICE_MADE

ONCE_HOURS = 24
"""A key counts again when its previous record is older than this, by received_at."""

_DAY = f"INTERVAL '{ONCE_HOURS}' HOUR"
_REACH_HOURS = ONCE_HOURS + 1
"""The topic's order is that of received_at but for much less than an hour: the attempt before a row is this near, or
all of them are further away than ONCE_HOURS."""
_REACH = f"INTERVAL '{_REACH_HOURS}' HOUR"
_SERVICE_MADE = f"event_id LIKE '{SERVICE_MADE}'"
_UNMARKED = "NOT coalesce(idempotent, false)"
_KEY = ("player", "event_type", "event_id")


def undecided_attempts(columns: Sequence[str], events: str, where: str) -> str:
    """Select `columns` of the undecided marked rows of `events` that match `where`, and whether each `is_first`.

    Such an attempt is first unless the previous one is at most ONCE_HOURS away, decided or not, or a later one that
    counts for certain is: one that was decided to count, when this row is late, or the unmarked event that it retries.

    Of the other rows, this reads the key and time of those received about as long before and after, and compares only
    those with the same key.
    """
    # The topic's order, backwards: a frame that grows costs less than one that shrinks.
    window = f"PARTITION BY {', '.join(_KEY)} ORDER BY kafka_partition DESC, kafka_offset DESC"
    later = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    undecided = f"{where} AND idempotent AND counts IS NULL"
    other = f"{where} AND ((idempotent AND counts IS NOT NULL) OR ({_UNMARKED} AND {_SERVICE_MADE}))"
    return (
        f"SELECT {_names(columns)}, {_is_apart('previous')} AND {_is_apart('certain')} AS is_first FROM ("
        f"SELECT {', '.join(columns)}, received_at AS attempted, idempotent AND counts IS NULL AS is_undecided, "
        f"lead(received_at) OVER ({window}) AS previous, "
        f"min(CASE WHEN counts OR {_UNMARKED} THEN received_at END) OVER ({window} {later}) AS certain FROM ("
        f"SELECT e.* FROM {events} AS e WHERE {undecided} "
        f"UNION ALL SELECT e.* FROM {events} AS e {_near(events, undecided)} WHERE {other}"
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


def repeats(events: str, since: datetime, until: datetime) -> str:
    """Select kafka_partition and kafka_offset of the undecided rows of a period, in UTC, that do not count.

    Besides the rows of the period, this reads only those received about ONCE_HOURS before and after.
    """
    reach = timedelta(hours=_REACH_HOURS)
    around = _received(since - reach, until + reach)
    attempts = undecided_attempts(("kafka_partition", "kafka_offset", "received_at"), events, around)
    own = _received(since, until)
    return f"SELECT kafka_partition, kafka_offset FROM ({attempts}) AS decided WHERE NOT is_first AND {own}"


def _received(since: datetime, until: datetime) -> str:
    return " AND ".join(
        f"received_at {comparison} TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'"
        for comparison, moment in ((">=", since), ("<", until))
    )


def _near(events: str, where: str) -> str:
    """Join the rows that share their key with rows that match `where`, and were received about ONCE_HOURS apart.

    One period holds for all keys: Trino does not count the memory of a `timestamp with time zone` for each key.
    """
    return (
        f"INNER JOIN (SELECT DISTINCT {', '.join(f'{name} AS near_{name}' for name in _KEY)} "
        f"FROM {events} WHERE {where}) AS near ON {' AND '.join(f'{name} = near_{name}' for name in _KEY)} "
        f"INNER JOIN (SELECT min(received_at) - {_REACH} AS since, max(received_at) + {_REACH} AS until "
        f"FROM {events} WHERE {where}) AS reach ON received_at >= since AND received_at <= until"
    )


def _is_apart(other: str) -> str:
    return f"({other} IS NULL OR attempted > {other} + {_DAY} OR attempted < {other} - {_DAY})"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(column.split(" AS ")[-1] for column in columns)
