"""The table `events`, read through Trino: it still holds what Kafka has dropped."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import trino
from game_events import ERASED, REJECTED, encode
from game_events.codec import FIELDS_OF_TYPE
from game_events.context import CONTEXT
from game_events.fields import Field, Kind
from game_events.table import COLUMNS, COUNTS, FAMILY, KAFKA_COLUMNS, REJECTED_COLUMNS
from game_trino.connection import connected
from game_trino.settings import TrinoSettings

from game_world.records import Record, records

_EVENTS = "lake.default.events"
_PROPERTIES = 'lake.default."events$properties"'
_TOPIC_ID = "gamelake.topic-id"
"""The table's property with the id of its topic, which the jobs set."""

_TIMEOUT = 10.0
"""Seconds per HTTP request. While a query runs, Trino responds to each poll within about a second."""
_LONGEST = "30m"
"""How long a query may run before Trino cancels it: rows are fetched no faster than they are projected."""

NOBODY = "," * 255
"""The target of an event whose target was erased. No player has this name: the API refuses commas."""

_OTHERS = (FAMILY, COUNTS, *KAFKA_COLUMNS, *REJECTED_COLUMNS, *CONTEXT)
"""Columns that are not of the record, or of which the world knows nothing."""
_FIELDS = [column for column in COLUMNS if column not in _OTHERS]

Ask = Callable[[str], Iterable[Sequence[Any]]]
"""Runs a query and yields its rows. Raises TableError."""


class TableError(Exception):
    """Trino does not say what the table holds; it may do so later."""


class Row(NamedTuple):
    offset: int
    value: bytes | None
    """What the record's value was, as far as the world reads it; None if the player was erased."""


class EventsTable:
    """Every method raises TableError."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def topic_id(self) -> str | None:
        """Return the id of the topic whose offsets the table holds; None before the first load."""
        found = [*self._ask(f"SELECT value FROM {_PROPERTIES} WHERE key = '{_TOPIC_ID}'")]
        return str(found[0][0]) if found else None

    def reaches(self) -> dict[int, range]:
        """Return for each partition the offsets from the table's first row to its last."""
        # Imported lines of files are no records of the topic.
        query = (
            f"SELECT kafka_partition, min(kafka_offset), max(kafka_offset) FROM {_EVENTS} "
            "WHERE kafka_partition >= 0 GROUP BY kafka_partition"
        )
        return {partition: range(first, last + 1) for partition, first, last in self._ask(query)}

    def rows(self, partition: int, offsets: range) -> Iterator[Row]:
        """Yield the rows of these offsets in their order. Not every offset has one."""
        columns = ", ".join(["kafka_offset", "family", "raw_value", *map(_expression, _FIELDS)])
        query = (
            f"SELECT {columns} FROM {_EVENTS} WHERE kafka_partition = {partition} "
            f"AND kafka_offset >= {offsets.start} AND kafka_offset < {offsets.stop} ORDER BY kafka_offset"
        )
        for offset, family, raw_value, *values in self._ask(query):
            fields = {field.name: value for field, value in zip(_FIELDS, values, strict=True) if value is not None}
            yield Row(offset, raw_value if family == REJECTED else None if family == ERASED else _value(fields))


def records_of(rows: Sequence[Row], are_pending: Callable[[Sequence[str]], Sequence[bool]]) -> list[Record]:
    """Make records of rows as of the topic's values, but none of erased players, and without effects on them."""
    made = records([row.value for row in rows], are_pending)
    for record in made:
        if "effects" in record:
            record["effects"] = [effect for effect in record["effects"] if effect.name != NOBODY]
            record["facts"] = [fact for fact in record["facts"] if NOBODY not in (fact.player, fact.target)]
    return made


def _expression(field: Field) -> str:
    return f"CAST(to_unixtime({field.name}) * 1000 AS bigint)" if field.kind is Kind.TIMESTAMP else field.name


def _value(row: Mapping[str, Any]) -> bytes | None:
    """Return the event of a row as JSON; None if this release does not know its type."""
    fields = FIELDS_OF_TYPE.get(row["event_type"])
    if fields is None:
        return None
    event = {name: row[name] for name in fields if name in row}
    if "target" in fields and fields["target"].required:
        # Only an erasure removes it from the row of another player.
        event.setdefault("target", NOBODY)
    return encode(event)


def asking(where: TrinoSettings) -> Ask:
    """Return what runs queries in this Trino."""
    return lambda query: _ask(where, query)


def _ask(where: TrinoSettings, query: str) -> Iterator[Sequence[Any]]:
    try:
        with closing(
            connected(
                where,
                "world",
                session_properties={"query_max_run_time": _LONGEST},
                request_timeout=_TIMEOUT,
            )
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            yield from iter(cursor.fetchone, None)
    except trino.exceptions.TrinoQueryError as error:
        raise TableError(f"{error.error_name}: {error.message}") from error
    except (trino.exceptions.Error, trino.exceptions.HttpError, OSError) as error:
        raise TableError(f"Trino at {where.url}: {type(error).__name__}: {error}") from error
