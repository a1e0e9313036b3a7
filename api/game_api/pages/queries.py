"""The SQL queries of the dashboard and the notebook, for Trino's catalog `hive`, schema `default`.

A retried event counts once, as in the views: see `game_events.once`.
"""

from collections.abc import Callable

from game_events.catalog import ERASED
from game_events.once import counted
from game_events.rollups import MAX_REJECTED, PLAYERS, PURCHASES, TIES, WAR, Rollup
from game_events.rules import START

LISTED_PLAYERS = 10
"""Players in each ranking."""
MAX_WARS = 40

# Offsets are compared with Kafka's, so repeated records count here, and imported lines do not.
# A client's clock may be ahead of the server's.
FRESHNESS = """
SELECT
    kafka_partition,
    max(kafka_offset) AS newest_offset,
    max(kafka_timestamp) AS newest_record,
    max(received_at) FILTER (WHERE received_at <= now()) AS newest_event
FROM events
WHERE kafka_partition >= 0
GROUP BY kafka_partition
ORDER BY kafka_partition
""".strip()

# Only the last hour is read. If an event was retried across its start, the attempt within the hour counts.
_ACTIVITY = f"""
SELECT date_trunc('minute', received_at) AS minute, family, count(*) AS number
FROM (
    {
    counted(
        ("received_at", "family"),
        "events",
        "received_at >= date_trunc('minute', now()) - interval '59' minute AND received_at <= now()"
        f" AND family <> '{ERASED}'",
    )
}
)
GROUP BY 1, 2
ORDER BY 1, 2
""".strip()

_PURCHASES = """
SELECT event_type, strength, number
FROM (
    {}
)
ORDER BY event_type, strength
""".strip()

_WARS = f"""
SELECT player, target, event_type, since, count(*) OVER () AS in_all
FROM (
    {{}}
)
WHERE event_type IN ({WAR})
ORDER BY since DESC, player, target
LIMIT {MAX_WARS}
""".strip()

_PLAYERS = f"""
SELECT *
FROM (
    SELECT
        *,
        row_number() OVER (ORDER BY gold DESC, player) AS by_gold,
        row_number() OVER (ORDER BY power DESC, experience DESC, player) AS by_power
    FROM (
        SELECT
            player,
            {START["gold"]} + coalesce(gold, 0) AS gold,
            {START["experience"]} + coalesce(experience, 0) AS experience,
            {START["power"]} + coalesce(power, 0) AS power
        FROM (
            {{}}
        )
    )
)
WHERE by_gold <= {LISTED_PLAYERS} OR by_power <= {LISTED_PLAYERS}
ORDER BY by_gold
""".strip()

_REJECTED = f"""
SELECT timestamp, substr(error, 1, 200) AS error, substr(text, 1, 200) AS text, kafka_partition, kafka_offset
FROM {{}}
ORDER BY timestamp DESC, kafka_partition, kafka_offset DESC
LIMIT {MAX_REJECTED}
""".strip()

_ADDED_UP = {"purchases": (_PURCHASES, PURCHASES), "wars": (_WARS, TIES), "players": (_PLAYERS, PLAYERS)}


def added_up(parts: Callable[[Rollup], str]) -> dict[str, str]:
    """Return the queries that add up parts of events, which `parts` selects."""
    return {name: query.format(rollup.merged(parts(rollup))) for name, (query, rollup) in _ADDED_UP.items()}


def rejected(records: str) -> str:
    """Return the query of the newest rejected records among these: a view, or a query in parentheses."""
    return _REJECTED.format(records)


QUERIES = {
    "freshness": FRESHNESS,
    "activity": _ACTIVITY,
    **added_up(lambda rollup: rollup.all_parts("events")),
    "rejected": rejected("rejected_events"),
}
