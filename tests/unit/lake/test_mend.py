"""Rejected rows that are valid by now become the rows of their events."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lake import mend
from lake.mend import Mended, mended
from lake.settings import EVENTS
from lake.transforms import to_events
from pyspark.sql import DataFrame, Row, SparkSession

from tests.poison import EXAMPLES, SWORD

WRITTEN = datetime(2026, 11, 23, 21, 0, 0, 7000, tzinfo=UTC)
RECORDS = "key BINARY, value BINARY, partition INT, offset BIGINT, timestamp TIMESTAMP"
PEACE = json.loads((EXAMPLES / "declare_peace.json").read_text())
VALUES = [json.dumps(SWORD).encode(), b"{", json.dumps(PEACE).encode(), None, json.dumps(SWORD).encode()]


@pytest.fixture
def valid(spark: SparkSession, events: Path) -> list[Row]:
    """Rows as they are under today's contract, of which the table has rejected ones, but for the last."""
    records = [(b"knight1", value, offset % 2, offset, WRITTEN) for offset, value in enumerate(VALUES)]
    rows = to_events(spark.createDataFrame(records, RECORDS))
    rejected = [
        Row(
            **row.asDict()
            | dict.fromkeys(row.asDict())
            | {
                "family": "rejected",
                "received_at": WRITTEN,
                "error": "event_type: is unknown",
                "raw_key": b"knight1",
                "raw_value": VALUES[row.kafka_offset],
                "kafka_partition": row.kafka_partition,
                "kafka_offset": row.kafka_offset,
                "kafka_timestamp": WRITTEN,
            }
        )
        for row in rows.where("kafka_offset < 4").collect()
    ]
    spark.createDataFrame(rejected, rows.schema).writeTo(EVENTS).append()
    rows.where("kafka_offset = 4").writeTo(EVENTS).append()
    return list(rows.orderBy("kafka_offset").collect())


def stored(spark: SparkSession) -> list[Row]:
    return list(spark.table(EVENTS).orderBy("kafka_offset").collect())


def snapshots(spark: SparkSession) -> int:
    return int(spark.table(f"{EVENTS}.snapshots").count())


def test_what_is_valid_by_now(spark: SparkSession, valid: list[Row]) -> None:
    """Rejected rows become the rows that a load would make of the records now; the others stay as they are."""
    before = stored(spark)
    done = mended(spark)
    assert done == Mended(4, {"purchases": 1, "declarations": 1}, 2)
    assert str(done) == (
        "rejected rows: 4; valid by now and replaced: 2: declarations 1, purchases 1; still rejected: 2"
    )
    assert stored(spark) == [valid[0], before[1], valid[2], before[3], valid[4]]


def test_run_again(spark: SparkSession, valid: list[Row]) -> None:
    """Run again, it commits nothing and says that there is nothing to do."""
    mended(spark)
    rows, commits = stored(spark), snapshots(spark)
    assert str(mended(spark)) == "rejected rows: 2; none is valid by now: nothing to do"
    assert (stored(spark), snapshots(spark)) == (rows, commits)


def test_without_rejected_rows(spark: SparkSession, events: Path) -> None:
    """A table without rows, and one without rejected rows, is left as it is."""
    for _ in range(2):
        assert str(mended(spark)) == "no rejected rows: nothing to do"
        rows = spark.createDataFrame([(b"knight1", VALUES[0], 0, 0, WRITTEN)], RECORDS)
        to_events(rows).writeTo(EVENTS).append()


def test_a_row_erased_meanwhile(spark: SparkSession, valid: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that was erased after it was read stays erased, and is not counted as replaced."""
    replace = mend._replace

    def erased_first(rows: DataFrame, inside: str) -> int:
        erase = "family = 'erased', error = NULL, raw_key = NULL, raw_value = NULL"
        spark.sql(f"UPDATE {EVENTS} SET {erase} WHERE kafka_offset = 0")
        return replace(rows, inside)

    monkeypatch.setattr(mend, "_replace", erased_first)
    done = mended(spark)
    assert (done.valid, done.replaced) == (2, 1)
    assert "replaced: 2 (of which another job was faster with 1): " in str(done)
    erased, _, peace, *_ = stored(spark)
    assert (erased.family, erased.player, erased.raw_value) == ("erased", None, None)
    assert peace == valid[2]
