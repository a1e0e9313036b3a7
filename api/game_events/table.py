"""The table `events` and its views, derived from the catalog."""

from game_events.catalog import COMMON_FIELDS, ERASED, EVENT_TYPES, FAMILIES, REJECTED
from game_events.fields import Field, Kind
from game_events.once import counted

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
