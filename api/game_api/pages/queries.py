"""The SQL queries of the dashboard and the notebook, for Trino's catalog `hive`, schema `default`.

A retried event counts once, as in the views: see `game_events.once`.
"""

from collections.abc import Iterable

from game_events import EVENT_TYPES
from game_events.catalog import ERASED, REJECTED
from game_events.once import counted
from game_events.rules import START

LISTED_PLAYERS = 10
"""Players in each ranking."""
MAX_WARS = 40
MAX_REJECTED = 20

_TIES = {name: event_type for name, event_type in EVENT_TYPES.items() if "tie" in event_type.sets}


def _literals(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(set(names)))


_POWER = _literals(name for name, event_type in EVENT_TYPES.items() if event_type.gives_power)
_WAR = _literals(name for name, event_type in _TIES.items() if event_type.sets["tie"] == "war")

# Offsets are compared with Kafka's, so repeated records count here. A client's clock may be ahead of the server's.
_FRESHNESS = """
SELECT
    kafka_partition,
    max(kafka_offset) AS newest_offset,
    max(kafka_timestamp) AS newest_record,
    max(received_at) FILTER (WHERE received_at <= now()) AS newest_event
FROM events
GROUP BY kafka_partition
ORDER BY kafka_partition
"""

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
"""

_PURCHASES = """
SELECT event_type, strength, count(*) AS number
FROM purchases
GROUP BY event_type, strength
ORDER BY event_type, strength
"""

_WARS = f"""
SELECT player, target, event_type, since, count(*) OVER () AS in_all
FROM (
    SELECT
        player,
        target,
        max_by(event_type, ROW(received_at, event_id)) AS event_type,
        max(received_at) AS since
    FROM (
    {
    counted(
        ("player", "event_type", "event_id", "target", "received_at"),
        "events",
        f"family IN ({_literals(event_type.family for event_type in _TIES.values())})"
        f" AND event_type IN ({_literals(_TIES)})",
    )
}
    )
    WHERE target IS NOT NULL
    GROUP BY player, target
)
WHERE event_type IN ({_WAR})
ORDER BY since DESC, player, target
LIMIT {MAX_WARS}
"""

# An event changes its player and, where it names another one and has amounts for them, its target.
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
            {START["gold"]} + coalesce(sum(gold), 0) AS gold,
            {START["experience"]} + coalesce(sum(experience), 0) AS experience,
            {START["power"]} + coalesce(sum(power), 0) AS power
        FROM (
            SELECT
                CASE WHEN is_target THEN event.target ELSE event.player END AS player,
                CASE WHEN is_target THEN event.target_gold ELSE event.gold END AS gold,
                CASE WHEN is_target THEN event.target_experience ELSE event.experience END AS experience,
                CASE WHEN NOT is_target AND event.event_type IN ({_POWER}) THEN event.strength END AS power
            FROM (
    {
    counted(
        ("player", "event_type", "gold", "experience", "strength", "target", "target_gold", "target_experience"),
        "events",
        f"family NOT IN ('{ERASED}', '{REJECTED}')",
    )
}
            ) AS event
            CROSS JOIN (VALUES (false), (true)) AS side (is_target)
            WHERE NOT is_target OR coalesce(event.target_gold, event.target_experience) IS NOT NULL
        )
        WHERE player IS NOT NULL
        GROUP BY player
    )
)
WHERE by_gold <= {LISTED_PLAYERS} OR by_power <= {LISTED_PLAYERS}
ORDER BY by_gold
"""

_REJECTED = f"""
SELECT timestamp, substr(error, 1, 200) AS error, substr(text, 1, 200) AS text, kafka_partition, kafka_offset
FROM rejected_events
ORDER BY timestamp DESC, kafka_partition, kafka_offset DESC
LIMIT {MAX_REJECTED}
"""

QUERIES = {
    "freshness": _FRESHNESS.strip(),
    "activity": _ACTIVITY.strip(),
    "purchases": _PURCHASES.strip(),
    "wars": _WARS.strip(),
    "players": _PLAYERS.strip(),
    "rejected": _REJECTED.strip(),
}
