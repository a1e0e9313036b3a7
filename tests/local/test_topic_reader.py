"""What the jobs read from the topic: every committed record, whatever it contains, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lake import topic_reader
from lake.last_records import LastRecords
from lake.offsets import OffsetRange, Topic, spark_options
from lake.settings import Settings
from lake.transforms import to_events
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from testbed.settings import Settings as StackSettings
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

from tests.local.lake import Lake
from tests.poison import HOSTILE_HEADERS, HOSTILE_KEYS, HOSTILE_TIMESTAMPS, POISON, SWORD

VALID = json.dumps(SWORD).encode()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka alone."""
    one = Stack(StackSettings.isolated(tmp_path_factory.mktemp("kafka")))
    one.up(["kafka"])
    yield one
    one.down()


def settings(kafka: Stack) -> Settings:
    return Settings.from_environment(spark_job(kafka.settings, "job").environment)


def by_spark(spark: SparkSession, settings: Settings) -> DataFrame:
    """Read the topic as the jobs do, to its end."""
    source = spark.read.format("kafka").options(**settings.kafka_source())
    return to_events(source.options(**spark_options(settings.kafka.topic, Topic(settings).all())).load())


def by_librdkafka(spark: SparkSession, settings: Settings) -> list[list[Row]]:
    """Read the topic as the jobs do what Spark's source cannot read, and as they do a few records."""
    ranges = Topic(settings).all()
    few = topic_reader.FewRecords(settings).rows(spark, ranges)
    assert few is not None
    return [topic_reader.rows(spark, settings, ranges).collect(), few.collect()]


def places(rows: list[Row]) -> list[tuple[int, int]]:
    return sorted((row.kafka_partition, row.kafka_offset) for row in rows)


def test_transactions(kafka: Stack, spark: SparkSession) -> None:
    """Committed records are read and aborted ones are not, in every way, up to markers at the end of a partition."""
    lake = Lake(kafka)
    lake.transact([VALID, b"no event"], commit=True)
    lake.transact([b"aborted"], commit=False)
    jobs = settings(kafka)
    expected = sorted(lake.offsets())
    assert len(expected) == 2 * kafka.settings.partitions
    assert all(one.size > 2 for one in Topic(jobs).all())
    assert places(by_spark(spark, jobs).collect()) == expected
    assert [places(rows) for rows in by_librdkafka(spark, jobs)] == [expected, expected]
    with lake.open_transaction([b"not committed yet"]):
        lake.write([VALID])
        assert places(by_spark(spark, jobs).collect()) == expected
        assert [places(rows) for rows in by_librdkafka(spark, jobs)] == [expected, expected]
    assert len(lake.offsets()) == len(expected) + 1


def test_all_ways_make_the_same_rows(kafka: Stack, spark: SparkSession) -> None:
    """Spark's source and the other readers make the same rows of records that all can read."""
    lake = Lake(kafka)
    lake.write(value for value, _ in POISON.values())
    jobs = settings(kafka)
    one, others = by_spark(spark, jobs).collect(), by_librdkafka(spark, jobs)

    def order(row: Row) -> tuple[int, int]:
        return row.kafka_partition, row.kafka_offset

    for other in others:
        assert sorted(one, key=order) == sorted(other, key=order)


def test_many_or_large_records_are_left_to_tasks(kafka: Stack, spark: SparkSession) -> None:
    """The process that plans a batch reads only as many records, and bytes, as it can hold beside others."""
    jobs = settings(kafka)
    few = topic_reader.FewRecords(jobs)
    assert few.rows(spark, [OffsetRange(0, 0, 10_001)]) is None
    large = Lake(kafka).write_as_they_are((b"k", b"x" * 900_000, [], 0) for _ in range(20))
    ranges = [OffsetRange(*place, place[1] + 1) for place in sorted(large)]
    assert few.rows(spark, ranges) is None
    rows = few.rows(spark, ranges[:2])
    assert rows is not None
    assert places(rows.collect()) == sorted(large)[:2]


def test_times_that_spark_cannot_read(kafka: Stack, spark: SparkSession) -> None:
    """Times that Java cannot represent end Spark's source with a known error; the other reader accepts them."""
    written = Lake(kafka).write_as_they_are((b"k", VALID, [], time) for time in HOSTILE_TIMESTAMPS)
    jobs = settings(kafka)
    with pytest.raises((PySparkException, Py4JJavaError)) as failure:
        by_spark(spark, jobs).collect()
    assert topic_reader.is_needed(failure.value)
    rows = topic_reader.rows(spark, jobs, [OffsetRange(*place, place[1] + 1) for place in written]).collect()
    assert places(rows) == sorted(written)
    assert {row.family for row in rows} == {"purchases"}
    assert {row.kafka_timestamp.year for row in rows} == {1970}


def test_another_error_is_raised(spark: SparkSession) -> None:
    """The other reader is used only after Spark's error for such a time."""
    with pytest.raises((PySparkException, Py4JJavaError)) as failure:
        spark.sql("SELECT raise_error('no such thing')").collect()
    assert not topic_reader.is_needed(failure.value)


def test_keys_and_headers_of_any_kind(kafka: Stack, spark: SparkSession) -> None:
    """A record is read whatever its key and headers are; if it is rejected, the row has its key."""
    lake = Lake(kafka)
    hostile = [(key, b"no event", headers, 0) for key in HOSTILE_KEYS for headers in HOSTILE_HEADERS]
    written = lake.write_as_they_are(hostile)
    jobs = settings(kafka)
    rows = topic_reader.rows(spark, jobs, Topic(jobs).all()).collect()
    read = {(row.kafka_partition, row.kafka_offset): row for row in rows}
    assert {place: (read[place].raw_key, read[place].raw_value) for place in written} == {
        place: record[:2] for place, record in written.items()
    }


def test_the_last_record_before_an_offset(kafka: Stack) -> None:
    """The last record of a range is found before the markers at its end, and recognised by what it contains."""
    lake = Lake(kafka)
    lake.transact([VALID], commit=True)
    lake.transact([b"another"], commit=True)
    records = LastRecords(settings(kafka))
    ranges = Topic(settings(kafka)).all()
    known = records.of(ranges)
    assert {number: one.offset for number, one in known.items()} == {one.partition: one.end - 2 for one in ranges}
    assert records.differing(known) == {}
    # As if the log had been filled again: other records are at these offsets.
    others = records.of(OffsetRange(one.partition, one.start, one.end - 2) for one in ranges)
    replaced = {number: replace(one, offset=known[number].offset) for number, one in others.items()}
    assert records.differing(replaced) == replaced
