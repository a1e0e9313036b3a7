"""The columns of the table `events` and the queries of its views, derived from the catalog."""

from game_events import gaps
from game_events.catalog import COMMON_FIELDS, ERASED, EVENT_TYPES, FAMILIES, REJECTED
from game_events.context import CONTEXT, OCCURRED_AT
from game_events.fields import Field, Kind
from game_events.once import counted

FAMILY = Field(
    "family",
    Kind.STRING,
    f"The view of the event; {REJECTED} for a record that is not a valid event, {ERASED} if its player was erased",
)

COUNTS = Field("counts", Kind.BOOLEAN, "Whether the views count the row: see game_events.once. NULL: not decided yet")
"""No record decides it: maintenance does, once the row's hour is over."""

KAFKA_COLUMNS = (
    Field("kafka_partition", Kind.INTEGER, "Partition of the topic; -1: a line of an imported file"),
    Field("kafka_offset", Kind.LONG, "Offset in the partition; of an imported line, a number of its file and line"),
    Field("kafka_timestamp", Kind.TIMESTAMP, "Timestamp of the record; of an imported line, the time of the import"),
)

REJECTED_COLUMNS = (
    Field("error", Kind.STRING, "Why the record was rejected"),
    Field("raw_key", Kind.BINARY, "The key of the rejected record, unchanged; of an imported line, its file and line"),
    Field("raw_value", Kind.BINARY, "The value of the rejected record, unchanged"),
)


def _family_fields() -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for family in FAMILIES.values():
        for field in family:
            if fields.setdefault(field.name, field).kind is not field.kind:
                raise TypeError(f"{field.name}: expected one kind in all families, got two: a column has one type")
    return tuple(fields.values())


_FIRST = (field for field in COMMON_FIELDS if field not in CONTEXT)

COLUMNS = (FAMILY, COUNTS, *_FIRST, *_family_fields(), *KAFKA_COLUMNS, *REJECTED_COLUMNS, *CONTEXT)
"""The columns of `events`, in order. Every offset of the topic is one row, as is every line of an
imported file.

Those of the context come last, as in a table that is older than they are.
"""


def spark_schema() -> str:
    """Return the column list of `events` for Spark SQL: `family STRING COMMENT '…', event_id STRING …`."""
    return ", ".join(f"{c.name} {c.kind.sql_type} COMMENT {literal(c.doc)}" for c in COLUMNS)


COMMENTS = {column.name: column.doc for column in COLUMNS} | {
    "timestamp": next(column.doc for column in COLUMNS if column.name == "received_at"),
    "text": "The value of the rejected record as text, as far as it is UTF-8",
    **gaps.COLUMN_COMMENTS,
}
"""What each column of the table and of the views means."""

REJECTED_EVENTS = "rejected_events"
"""The view of rejected records."""

PLAYER_EVENTS = "player_events"
"""The view of the events of all families, of which the models in spark-apps/models are made."""

LIVE = "_live"
"""How the names of live views end."""

TAIL = "live.tail"
"""The view of the records that the table does not have yet, in a schema of its own: it is not for analysts."""


def view_comment(view: str) -> str:
    """Return what a view shows."""
    if view == REJECTED_EVENTS:
        return "Records that are not valid events, with their bytes and the reason"
    if view == PLAYER_EVENTS:
        return "The events of all families, each once, with what the models are made of"
    if view == gaps.SESSION_GAPS:
        return gaps.COMMENT
    if view == TAIL:
        return "Records that the table does not have yet, as the live views read them"
    if view.endswith(LIVE):
        return f"{view.removesuffix(LIVE)}, and the events of this family that the table does not have yet"
    return f"Events of family {view}; a retried event counts once"


# The first version's columns come first, under their original names.
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
    *(f"{OCCURRED_AT} AS occurred_at" if field.name == "occurred_at" else field.name for field in CONTEXT),
)


def view_columns(family: str) -> list[str]:
    """Return the columns of a family's view, as expressions over those of the table `events`."""
    own = [field.name for field in FAMILIES[family]]
    stated = {field.name for one in EVENT_TYPES.values() if one.family == family for field in one.fields}
    groups = {
        "{stated}": [name for name in own if name in stated],
        "{changes}": [name for name in own if name not in stated],
    }
    return [name for column in _VIEW_COLUMNS for name in groups.get(column, [column])]


def family_query(family: str, events: str) -> str:
    """Select a family's rows from the table `events` (its full name), as SQL that Spark and Trino both accept.

    A retried event counts once: see `game_events.once`.
    """
    return counted(view_columns(family), events, f"family = {literal(family)}")


_PLAYER_EVENTS_COLUMNS = (
    *("player", "event_type", "family", "event_id", "occurred_at", "received_at"),
    *("session_id", "platform", "app_version", "country", "experiments"),
    *("gold", "target", "target_gold", "won", "item", "loot", "strength", "experiment", "variant"),
    *("kafka_partition", "kafka_offset"),
)


def player_events_query(events: str) -> str:
    """Select the events of all families from the table `events` (its full name), as SQL for Trino."""
    columns = [f"{OCCURRED_AT} AS {name}" if name == "occurred_at" else name for name in _PLAYER_EVENTS_COLUMNS]
    return counted(columns, events, f"family NOT IN ({literal(ERASED)}, {literal(REJECTED)})")


def rejected_query(events: str) -> str:
    """Select the rejected records from the table `events` (its full name), as SQL for Trino."""
    return (
        "SELECT received_at AS timestamp, error, from_utf8(raw_value) AS text, raw_value, raw_key, "
        f"kafka_partition, kafka_offset FROM {events} WHERE family = {literal(REJECTED)}"
    )


def literal(text: str) -> str:
    """Return a string literal, as SQL that Spark and Trino both accept."""
    return "'" + text.replace("'", "''") + "'"
