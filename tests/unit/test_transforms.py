"""Records become rows: the rules of the contract, as Spark applies them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from game_events import EVENT_TYPES, InvalidEventError, decode
from game_events.table import COLUMNS, spark_schema
from pyspark.sql import Row, SparkSession
from transforms import to_events

from tests.poison import EXAMPLES, POISON, SWORD

WRITTEN = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
RECORDS = "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"


def rows(spark: SparkSession, *values: bytes | None) -> list[Row]:
    records = [(b"knight1", value, "events", 1, offset, WRITTEN) for offset, value in enumerate(values)]
    return to_events(spark.createDataFrame(records, RECORDS)).orderBy("kafka_offset").collect()


def test_schema(spark: SparkSession) -> None:
    """The rows have exactly the columns of the table, by name, type and order."""
    made = to_events(spark.createDataFrame([], RECORDS)).dtypes
    declared = spark.createDataFrame([], spark_schema()).dtypes
    assert made == declared


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_example(spark: SparkSession, example: Path) -> None:
    """Every example becomes a row of its family with every value in its column, and nothing in the others."""
    event = json.loads(example.read_text())
    [row] = rows(spark, json.dumps(event).encode())
    received_at = datetime.fromtimestamp(event["received_at"] / 1000, UTC)
    expected = dict.fromkeys(column.name for column in COLUMNS) | event
    expected |= {
        "family": EVENT_TYPES[event["event_type"]].family,
        "received_at": received_at.astimezone().replace(tzinfo=None),
        "kafka_partition": 1,
        "kafka_offset": 0,
        "kafka_timestamp": WRITTEN.astimezone().replace(tzinfo=None),
    }
    assert row.asDict() == expected


@pytest.fixture(scope="module")
def poisoned(spark: SparkSession) -> dict[str, Row]:
    return dict(zip(POISON, rows(spark, *(value for value, _ in POISON.values())), strict=True))


@pytest.mark.parametrize("name", POISON)
def test_poison_is_kept_whole(poisoned: dict[str, Row], name: str) -> None:
    """A record that is no valid event becomes a rejected row: its bytes, its place, the reason, and nothing else."""
    value, reason = POISON[name]
    row = {column: content for column, content in poisoned[name].asDict().items() if content is not None}
    assert row.pop("error").startswith(reason)
    assert row.pop("raw_value", None) == value
    written = WRITTEN.astimezone().replace(tzinfo=None)
    assert row == {
        "family": "rejected",
        "received_at": written,
        "kafka_partition": 1,
        "kafka_offset": list(POISON).index(name),
        "kafka_timestamp": written,
        "raw_key": b"knight1",
    }


@pytest.mark.parametrize("name", POISON)
def test_the_reason_is_the_contracts(poisoned: dict[str, Row], name: str) -> None:
    """The reason is the one that a client of the API is told."""
    with pytest.raises(InvalidEventError) as rejection:
        decode(POISON[name][0])
    assert poisoned[name].error == str(rejection.value)


@pytest.mark.parametrize(
    "value",
    [
        SWORD | {"strength": 0},
        SWORD | {"strength": 10},
        SWORD | {"player": 'Jürgen 🗡️ of the "Lake" \\ \'; DROP TABLE events; --'},
        SWORD | {"player": "x" * 255},
        SWORD | {"description": ""},
        SWORD | {"description": "x" * 8192},
        SWORD | {"idempotent": True},
    ],
    ids=lambda value: str(value)[-40:],
)
def test_boundary_values_are_accepted(spark: SparkSession, value: dict[str, object]) -> None:
    """What the contract just allows is accepted by both, and arrives as it was."""
    record = json.dumps(value, ensure_ascii=False).encode()
    [row] = rows(spark, record)
    assert decode(record) == value
    assert (row.error, row.player, row.strength, row.description) == (
        None,
        value["player"],
        value["strength"],
        value["description"],
    )
