"""Transforms records of the topic into rows of `events`, by the rules of the contract."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from game_events import COMMON_FIELDS, EVENT_TYPES, REJECTED, InvalidEventError, Kind, decode
from game_events.fields import to_json
from game_events.table import COLUMNS, spark_schema
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from lake.record_times import shown

_TYPES = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int32(),
    Kind.LONG: pa.int64(),
    Kind.STRING: pa.string(),
    Kind.OBJECT: pa.string(),
    Kind.BINARY: pa.binary(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
_LONGEST_REASON = 1000
"""Characters. A reason quotes the record."""

_TIMES = {field.name for field in COMMON_FIELDS if field.kind is Kind.TIMESTAMP}
_OBJECTS = {field.name for field in COMMON_FIELDS if field.kind is Kind.OBJECT}
_SCHEMA = pa.schema([(column.name, _TYPES[column.kind]) for column in COLUMNS])


def to_events(records: DataFrame) -> DataFrame:
    """Turn records into rows, one for one.

    `records` has the columns of Spark's Kafka source (key, value: binary; partition, offset, timestamp); the result has
    the columns of `events`. An invalid event becomes a row of family `rejected`, with the reason.

    Python decodes, so that API and lake cannot disagree about what an event is. As column expressions the same rules
    took 4 times the CPU time: they exceed the 8,000 bytes of code that a JVM compiles at once.
    """
    columns = records.select("key", "value", "partition", "offset", F.unix_millis("timestamp").alias("timestamp"))
    return columns.mapInArrow(_decode_batches, spark_schema())


def _decode_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield decoded(list(zip(*(column.to_pylist() for column in batch.columns), strict=True)))


Record = tuple[bytes | None, bytes | None, int, int, int]
"""Key, value, partition, offset, and milliseconds since the epoch."""


def decoded(records: Sequence[Record]) -> pa.RecordBatch:
    """Turn records into rows, one for one, whatever they contain."""
    try:
        return _batch([_row(*record) for record in records])
    except MemoryError:
        raise
    except Exception:  # One of them caused it; the others become rows as usual.
        return _batch([_row_of_any(record) for record in records])


def _row_of_any(record: Record) -> dict[str, Any]:
    try:
        row = _row(*record)
        _batch([row])
    except MemoryError:
        raise
    except Exception as error:  # No record may stop its reader.
        key, value, partition, offset, timestamp = record
        reason = f"record: cannot be a row ({type(error).__name__}: {error})"
        time = shown(timestamp) * 1000
        return _rejected(key, value, reason, time) | _place(partition, offset, time)
    return row


def _row(key: bytes | None, value: bytes | None, partition: int, offset: int, timestamp: int) -> dict[str, Any]:
    time = shown(timestamp) * 1000
    try:
        row = decode(value)
    except InvalidEventError as error:
        row = _rejected(key, value, str(error), time)
    else:
        row["family"] = EVENT_TYPES[row["event_type"]].family
        for name in _TIMES & row.keys():
            row[name] *= 1000
        for name in _OBJECTS & row.keys():
            row[name] = to_json(row[name])
    row.update(_place(partition, offset, time))
    return row


def _rejected(key: bytes | None, value: bytes | None, reason: str, time: int) -> dict[str, Any]:
    # A reason quotes names as they were sent, which need not be valid UTF-8.
    written = reason[: _LONGEST_REASON + 1].encode(errors="backslashreplace").decode()
    if len(written) > _LONGEST_REASON:
        written = written[: _LONGEST_REASON - 1] + "…"
    return {"family": REJECTED, "received_at": time, "error": written, "raw_key": key, "raw_value": value}


def _place(partition: int, offset: int, time: int) -> dict[str, int]:
    return {"kafka_partition": partition, "kafka_offset": offset, "kafka_timestamp": time}


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    # Not `from_pylist`, which asks each row for every column: that took three times as long.
    columns: dict[str, list[Any]] = {name: [None] * len(rows) for name in _SCHEMA.names}
    for number, row in enumerate(rows):
        for name, value in row.items():
            columns[name][number] = value
    return pa.RecordBatch.from_arrays([pa.array(columns[one.name], one.type) for one in _SCHEMA], schema=_SCHEMA)
