"""Records become rows: the rules of the contract, as Spark applies them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from game_events import COMMON_FIELDS, EVENT_TYPES, InvalidEventError, Kind, decode, encode
from game_events.table import COLUMNS, spark_schema
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lake.transforms import Record, decoded, to_events
from pyspark.sql import Row, SparkSession

from tests.poison import EXAMPLES, HOSTILE_TIMESTAMPS, POISON, SWORD

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


EXAMPLE_FILES = sorted(EXAMPLES.glob("*.json"))


@pytest.fixture(scope="module")
def examples(spark: SparkSession) -> dict[Path, Row]:
    """The row of each example; Spark transforms all of them at once, because each job takes a second."""
    values = [json.dumps(json.loads(path.read_text())).encode() for path in EXAMPLE_FILES]
    return dict(zip(EXAMPLE_FILES, rows(spark, *values), strict=True))


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.stem)
def test_example(examples: dict[Path, Row], path: Path) -> None:
    """Every example becomes a row of its family with every value in its column, and nothing in the others."""
    event = json.loads(path.read_text())
    received_at = datetime.fromtimestamp(event["received_at"] / 1000, UTC)
    expected = dict.fromkeys(column.name for column in COLUMNS) | event
    expected |= {
        "family": EVENT_TYPES[event["event_type"]].family,
        "received_at": received_at.astimezone().replace(tzinfo=None),
        "kafka_partition": 1,
        "kafka_offset": EXAMPLE_FILES.index(path),
        "kafka_timestamp": WRITTEN.astimezone().replace(tzinfo=None),
    }
    assert examples[path].asDict() == expected


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
    """The reason is the one that a client of the API receives."""
    with pytest.raises(InvalidEventError) as rejection:
        decode(POISON[name][0])
    reason = str(rejection.value).encode(errors="backslashreplace").decode()
    assert poisoned[name].error == reason or poisoned[name].error == f"{reason[:999]}…"


BOUNDARIES = (
    SWORD | {"strength": 0},
    SWORD | {"strength": 10},
    SWORD | {"player": 'Jürgen 🗡️ of the "Lake" \\ \'; DROP TABLE events; --'},
    SWORD | {"player": "x" * 255},
    SWORD | {"description": ""},
    SWORD | {"description": "x" * 8192},
    SWORD | {"idempotent": True},
)

CONTEXTS: tuple[dict[str, Any], ...] = (
    {"occurred_at": 0, "sent_at": 4_102_444_800_000, "sequence": 2**31 - 1, "country": "DE"},
    {"experiments": {"shop": "ß"}, "properties": {"b": [1, 0.1, None, 1e16, 10**18], "a": {"": '"\\'}}},
)


def test_boundary_values_are_accepted(spark: SparkSession) -> None:
    """What the contract just allows is accepted by both, and arrives as it was."""
    records = [json.dumps(value, ensure_ascii=False).encode() for value in BOUNDARIES]
    for value, record, row in zip(BOUNDARIES, records, rows(spark, *records), strict=True):
        assert decode(record) == value
        found = (row.error, row.player, row.strength, row.description)
        assert found == (None, value["player"], value["strength"], value["description"])


def test_the_context_has_columns() -> None:
    """Times of the context are timestamps, and its objects compact JSON text, however the record is written."""
    records = [(None, json.dumps(SWORD | context).encode(), 0, 0, 0) for context in CONTEXTS]
    first, second = decoded(records).to_pylist()
    assert (first["occurred_at"], first["sent_at"].year, first["sequence"], first["country"]) == (
        *(datetime(1970, 1, 1, tzinfo=UTC), 2100, 2**31 - 1, "DE"),
    )
    assert second["experiments"] == '{"shop":"ß"}'
    assert second["properties"] == encode(CONTEXTS[1]["properties"]).decode()


NAMES = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(sorted(SWORD))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
VALUES = (
    st.none()
    | st.binary(max_size=200)
    | st.dictionaries(NAMES, JSON, max_size=5).map(lambda changes: json.dumps(SWORD | changes).encode())
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([value for value, _ in POISON.values() if len(value or b"") < 10_000])
)
RECORD = st.tuples(
    st.none() | st.binary(max_size=50),
    VALUES,
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(-(2**70), 2**70) | st.sampled_from(HOSTILE_TIMESTAMPS),
)


@settings(max_examples=300)
@given(st.lists(RECORD, max_size=5))
@example([(None, b'{"\\ud800": 1, "event_type": "default"}', 0, 0, 0)])
def test_whatever_comes_in_a_row_comes_out(records: list[Record]) -> None:
    """Records of any kind are as many rows, in order, at their offsets; those that are rejected are kept whole."""
    batch = decoded(records)
    batch.validate(full=True)
    assert batch.num_rows == len(records)
    for (key, value, partition, offset, _), row in zip(records, batch.to_pylist(), strict=True):
        assert (row["kafka_partition"], row["kafka_offset"]) == (partition, offset)
        assert 1970 <= row["kafka_timestamp"].year <= 2100
        assert 1970 <= row["received_at"].year <= 2100
        if row["family"] == "rejected":
            assert (row["raw_key"], row["raw_value"]) == (key, value)
            assert 0 < len(row["error"]) <= 1000
        else:
            event = decode(value)
            changed = {field.name for field in COMMON_FIELDS if field.kind in (Kind.TIMESTAMP, Kind.OBJECT)}
            assert {name: row[name] for name in event.keys() - changed} == {
                name: content for name, content in event.items() if name not in changed
            }


def test_what_no_row_can_hold_is_rejected_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the contract itself fails for a record, that one is rejected with what failed, and the others are rows."""
    valid = json.dumps(SWORD).encode()

    def failing(value: bytes | None) -> dict[str, object]:
        if value == b"fails":
            raise TypeError("x" * 10_000)
        return decode(value)

    monkeypatch.setattr("lake.transforms.decode", failing)
    rows = decoded([(b"k", value, 0, offset, 0) for offset, value in enumerate([valid, b"fails", valid])]).to_pylist()
    assert [row["family"] for row in rows] == ["purchases", "rejected", "purchases"]
    assert (rows[1]["raw_key"], rows[1]["raw_value"], len(rows[1]["error"])) == (b"k", b"fails", 1000)
    assert rows[1]["error"].startswith("record: cannot be a row (")
