"""What the dashboard and the notebook ask of Trino, in catalog `hive`, schema `default`.

An event that came again under its Idempotency-Key counts once, as in the views.
"""

from collections.abc import Iterable

from game_events import EVENT_TYPES
from game_events.catalog import ERASED, REJECTED
from game_events.rules import START
from game_events.table import ONCE_HOURS, counted

LISTED = 10
"""Players in each ranking."""
NEWEST = 20
"""Rejected records that are listed, and wars of which many times as many."""

_TIES = {name: event_type for name, event_type in EVENT_TYPES.items() if "tie" in event_type.sets}


def _literals(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(set(names)))


_WAR = _literals(name for name, event_type in _TIES.items() if event_type.sets["tie"] == "war")


def _once(columns: str, where: str) -> str:
    """Select from `events`, a retried one once, by the rule of `game_events.table`."""
    return counted(columns.split(", "), "events", where)


# Offsets are compared with what Kafka has, so every row counts here. A client's clock may be ahead of this one.
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

# Of retries across the beginning of the hour the one inside counts: so only the hour is read.
_ACTIVITY = f"""
SELECT date_trunc('minute', received_at) AS minute, family, count(*) AS number
FROM (
    {
    _once(
        "received_at, family",
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

# Of a retried declaration the first record counts here too. One window over all declarations costs less than the views,
# which read them several times.
_WARS = f"""
SELECT player, target, event_type, since, count(*) OVER () AS in_all
FROM (
    SELECT
        player,
        target,
        max_by(event_type, ROW(declared_at, event_id)) AS event_type,
        max(declared_at) AS since
    FROM (
        SELECT
            player,
            event_type,
            event_id,
            target,
            received_at AS declared_at,
            lag(received_at) OVER (
                PARTITION BY player, event_type, event_id ORDER BY kafka_partition, kafka_offset
            ) AS attempted_before
        FROM events
        WHERE
            family IN ({_literals(event_type.family for event_type in _TIES.values())})
            AND event_type IN ({_literals(_TIES)})
    )
    WHERE
        target IS NOT NULL
        AND (
            attempted_before IS NULL
            OR declared_at > attempted_before + INTERVAL '{ONCE_HOURS}' HOUR
            OR declared_at < attempted_before - INTERVAL '{ONCE_HOURS}' HOUR
        )
    GROUP BY player, target
)
WHERE event_type IN ({_WAR})
ORDER BY since DESC, player, target
LIMIT {2 * NEWEST}
"""

_PLAYERS = f"""
SELECT *
FROM (
    SELECT
        *,
        row_number() OVER (ORDER BY gold DESC, player) AS by_gold,
        row_number() OVER (ORDER BY power DESC, experience DESC, player) AS by_power
    FROM (
        SELECT
            change.player,
            {START["gold"]} + coalesce(sum(change.gold), 0) AS gold,
            {START["experience"]} + coalesce(sum(change.experience), 0) AS experience,
            {START["power"]} + coalesce(sum(change.power), 0) AS power
        FROM (
    {
    _once(
        "player, gold, experience, strength, target, target_gold, target_experience",
        f"family NOT IN ('{ERASED}', '{REJECTED}')",
    )
}
        ) AS event
        CROSS JOIN UNNEST(ARRAY[
            ROW(event.player, event.gold, event.experience, event.strength),
            ROW(
                if(coalesce(event.target_gold, event.target_experience) IS NOT NULL, event.target),
                event.target_gold,
                event.target_experience,
                NULL
            )
        ]) AS change (player, gold, experience, power)
        WHERE change.player IS NOT NULL
        GROUP BY change.player
    )
)
WHERE by_gold <= {LISTED} OR by_power <= {LISTED}
ORDER BY by_gold
"""

_REJECTED = f"""
SELECT timestamp, substr(error, 1, 200) AS error, substr(text, 1, 200) AS text, kafka_partition, kafka_offset
FROM rejected_events
ORDER BY timestamp DESC, kafka_partition, kafka_offset DESC
LIMIT {NEWEST}
"""

QUERIES = {
    "freshness": _FRESHNESS.strip(),
    "activity": _ACTIVITY.strip(),
    "purchases": _PURCHASES.strip(),
    "wars": _WARS.strip(),
    "players": _PLAYERS.strip(),
    "rejected": _REJECTED.strip(),
}
