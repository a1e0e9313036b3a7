"""The table `events` and its views, derived from the catalog."""

from collections.abc import Sequence

from game_events.catalog import COMMON_FIELDS, ERASED, EVENT_TYPES, FAMILIES, REJECTED
from game_events.event_ids import SERVICE_MADE
from game_events.fields import Field, Kind

FAMILY = Field(
    "family",
    Kind.STRING,
    f"The view it belongs to; {REJECTED} for a record that is no valid event, {ERASED} for one whose player was erased",
)

KAFKA_COLUMNS = (
    Field("kafka_partition", Kind.INTEGER, "Partition of the topic"),
    Field("kafka_offset", Kind.LONG, "Offset in the partition"),
    Field("kafka_timestamp", Kind.TIMESTAMP, "Timestamp of the record"),
)

REJECTED_COLUMNS = (
    Field("error", Kind.STRING, "Why the record was rejected"),
    Field("raw_key", Kind.BINARY, "The rejected record's key, as it came"),
    Field("raw_value", Kind.BINARY, "The rejected record's value, as it came"),
)


def _family_fields() -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for family in FAMILIES.values():
        for field in family:
            if fields.setdefault(field.name, field).kind is not field.kind:
                raise TypeError(f"{field.name} has two kinds: one column cannot hold both")
    return tuple(fields.values())


COLUMNS = (FAMILY, *COMMON_FIELDS, *_family_fields(), *KAFKA_COLUMNS, *REJECTED_COLUMNS)
"""The columns of `events`, in order: every offset of the topic is one row of them."""


def spark_schema() -> str:
    """Spark SQL's column list of `events`: `family STRING COMMENT '…', event_id STRING …`."""
    return ", ".join(f"{c.name} {c.kind.sql_type} COMMENT {_literal(c.doc)}" for c in COLUMNS)


# The first version's columns come first, by the names they had.
_VIEW_COLUMNS = (
    "accept",
    "host",
    "user_agent",
    "description",
    "event_type",
    "{stated}",
    "received_at AS timestamp",
    "{changes}",
    "player",
    "event_id",
    "kafka_partition",
    "kafka_offset",
)


ONCE_HOURS = 24
"""An event under a key counts again when the record before it under that key is older than this, by received_at."""


def counted(columns: Sequence[str], events: str, where: str) -> str:
    """Select `columns` of `events` where `where` holds, each event once, as Spark and Trino both read it.

    Records of one player, type and id that are marked idempotent are one event while each lies within ONCE_HOURS of the
    one before it in the topic. A marked record with a service-made id is a retry of an unmarked one: it counts only if
    that one was not written. Unmarked records pay for neither search; the second one looks only for the retries' ids.
    """
    names = ", ".join(column.split(" AS ")[-1] for column in columns)
    marked = f"{where} AND idempotent"
    unmarked = f"{where} AND NOT coalesce(idempotent, false)"
    made = f"event_id LIKE '{SERVICE_MADE}'"
    return (
        f"SELECT {', '.join(columns)} FROM {events} WHERE {unmarked} "
        f"UNION ALL SELECT {names} FROM (SELECT {', '.join(columns)}, player AS of_player, event_type AS of_type, "
        "event_id AS of_id, received_at AS attempted, lag(received_at) OVER "
        "(PARTITION BY player, event_type, event_id ORDER BY kafka_partition, kafka_offset) AS attempted_before "
        f"FROM {events} WHERE {marked}) AS attempts "
        "LEFT JOIN (SELECT DISTINCT player AS first_player, event_type AS first_type, event_id AS first_id "
        f"FROM {events} INNER JOIN (SELECT DISTINCT player AS retry_player, event_type AS retry_type, "
        f"event_id AS retry_id FROM {events} WHERE {marked} AND {made}) AS retries "
        f"ON player = retry_player AND event_type = retry_type AND event_id = retry_id WHERE {unmarked} AND {made}"
        ") AS firsts ON of_player = first_player AND of_type = first_type AND of_id = first_id "
        "WHERE first_id IS NULL AND (attempted_before IS NULL "
        f"OR attempted > attempted_before + INTERVAL '{ONCE_HOURS}' HOUR "
        f"OR attempted < attempted_before - INTERVAL '{ONCE_HOURS}' HOUR)"
    )


def family_query(family: str, events: str) -> str:
    """One family's rows of the table `events` (its full name), as a SELECT that Spark and Trino both read.

    An event whose request was retried counts once: see `counted`.
    """
    own = [field.name for field in FAMILIES[family]]
    stated = {field.name for one in EVENT_TYPES.values() if one.family == family for field in one.fields}
    groups = {
        "{stated}": [name for name in own if name in stated],
        "{changes}": [name for name in own if name not in stated],
    }
    columns = [name for column in _VIEW_COLUMNS for name in groups.get(column, [column])]
    return counted(columns, events, f"family = {_literal(family)}")


def rejected_query(events: str) -> str:
    """Select the rejected records of the table `events` (its full name), in Trino's SQL."""
    return (
        "SELECT received_at AS timestamp, error, from_utf8(raw_value) AS text, raw_value, raw_key, "
        f"kafka_partition, kafka_offset FROM {events} WHERE family = {_literal(REJECTED)}"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
