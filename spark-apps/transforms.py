"""Records of the topic become rows of `events`, by the contract's own rules."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from game_events import EVENT_TYPES, REJECTED, InvalidEventError, Kind, decode
from game_events.table import COLUMNS, spark_schema
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

_TYPES = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int32(),
    Kind.LONG: pa.int64(),
    Kind.STRING: pa.string(),
    Kind.BINARY: pa.binary(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
_SCHEMA = pa.schema([(column.name, _TYPES[column.kind]) for column in COLUMNS])


def to_events(records: DataFrame) -> DataFrame:
    """Turn records into rows, one for one.

    `records` is what Spark's Kafka source gives (key, value: binary; partition, offset, timestamp); the answer has the
    columns of `events`. A record that is no valid event becomes a row of family `rejected`, with the reason.

    Python decodes, so that API and lake cannot disagree about what an event is. As column expressions the same rules
    took 4 times the CPU: they do not fit the 8,000 bytes of code that a JVM compiles at once.
    """
    columns = records.select("key", "value", "partition", "offset", F.unix_micros("timestamp").alias("timestamp"))
    return columns.mapInArrow(_decode_batches, spark_schema())


def _decode_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [_row(*record) for record in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
        yield pa.RecordBatch.from_pylist(rows, _SCHEMA)


def _row(key: bytes | None, value: bytes | None, partition: int, offset: int, timestamp: int) -> dict[str, Any]:
    try:
        row = decode(value)
    except InvalidEventError as error:
        row = {"family": REJECTED, "received_at": timestamp, "error": str(error), "raw_key": key, "raw_value": value}
    else:
        row["family"] = EVENT_TYPES[row["event_type"]].family
        row["received_at"] *= 1000
    row["kafka_partition"] = partition
    row["kafka_offset"] = offset
    row["kafka_timestamp"] = timestamp
    return row
