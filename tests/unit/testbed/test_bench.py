from pathlib import Path
from random import Random
from statistics import mean

import pytest
from game_api import create_app
from game_events import EVENT_TYPES, FREE, decode, encode
from game_events.table import spark_schema
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from testbed.bench import duck, traffic
from testbed.bench.cost import BenchError
from testbed.bench.freshness import View, delays
from testbed.bench.layouts_job import synthetic
from testbed.bench.queries import check_equal
from testbed.bench.questions import FIRST_VERSION, HOURLY, OLD, OURS
from testbed.bench.report import Row, table

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog


def test_records_are_valid_and_unique_events() -> None:
    """Records for the raw producer and the batch job are what the API would write."""
    records = list(traffic.records(2345))
    events = [decode(value) for _, value in records]
    assert len({event["event_id"] for event in events}) == 2345
    assert all(event["player"].encode() == key for (key, _), event in zip(records, events, strict=True))
    assert len({event["event_type"] for event in events}) == len(traffic.examples())


@pytest.mark.parametrize(
    "request_", [*traffic.single_requests()[:7], *traffic.health_requests()[:1], traffic.bulk_requests(100)[1]]
)
def test_the_api_accepts_the_load_generators_requests(request_: bytes) -> None:
    """The API answers every request of the load generator with 200."""
    head, _, body = request_.decode().partition("\r\n\r\n")
    line, *headers = head.split("\r\n")
    method, path, _ = line.split(" ")
    log = MemoryLog()
    client = client_for(create_app(log, random=Random(1)))
    answer = client.open(path, method=method, headers=[header.split(": ", 1) for header in headers], data=body)
    assert answer.status_code == 200


def test_a_missed_target_is_printed_as_missed() -> None:
    rows = table([Row("speed", "3", "2", "1.50", "at least 2x", met=False), Row("memory", "1")])
    assert "| at least 2x: **missed** |" in rows
    assert "| memory | 1 |  |  |  |" in rows


def test_a_target_that_could_not_be_measured_is_printed() -> None:
    """A row keeps its target if what it is compared with is unavailable."""
    assert "| unavailable |  | at least 2x: not measured |" in str(
        Row("speed", "3", "unavailable", target="at least 2x")
    )


def test_an_event_is_fresh_in_the_first_result_that_shows_it() -> None:
    """The delay of an event ends with the first result that shows its offset, in its own partition."""
    views = [View(1.0, {}), View(2.0, {0: 4}), View(3.0, {0: 4, 1: 0}), View(4.0, {0: 9, 1: 0})]
    assert list(delays([(0, 4, 0.5), (0, 5, 1.5), (1, 0, 2.5)], views)) == [1.5, 2.5, 0.5]


@pytest.fixture(scope="module")
def days(spark: SparkSession) -> DataFrame:
    return synthetic(spark, traffic.examples(), rows=1000, runs=4).cache()


def test_synthetic_rows_have_the_tables_columns(spark: SparkSession, days: DataFrame) -> None:
    """Every row is a valid event with the columns of the table, and ids and offsets are unique."""
    assert days.dtypes == spark.createDataFrame([], spark_schema()).dtypes
    columns = [name for name in days.columns if name not in ("family", "received_at") and "kafka" not in name]
    rows = days.select("family", *columns, F.unix_millis("received_at").alias("received_at")).collect()
    for row in rows:
        event = {name: value for name, value in row.asDict().items() if value is not None and name != "family"}
        assert EVENT_TYPES[decode(encode(event))["event_type"]].family == row.family
    assert {row.event_type for row in rows} == {event_type.name for event_type in FREE}
    assert len({row.event_id for row in rows}) == len(rows)
    assert days.select("kafka_partition", "kafka_offset").distinct().count() == len(rows)


def test_synthetic_rows_are_in_files_as_runs_leave_them(days: DataFrame) -> None:
    """Each run has a task for each partition with the partition's next offsets, spread over two days."""
    tasks = days.groupBy(F.spark_partition_id().alias("task")).agg(
        F.countDistinct("kafka_partition").alias("partitions"),
        F.min("kafka_offset").alias("first"),
        F.max("kafka_offset").alias("last"),
    )
    ranges = [(row.partitions, row["first"], row["last"]) for row in tasks.orderBy("task").collect()]
    assert ranges == [(1, run * 84, run * 84 + 83) for run in range(4) for _ in range(3)]
    assert days.select(F.to_date("received_at")).distinct().count() == 2


def test_duckdb_runs_the_same_queries(days: DataFrame, tmp_path: Path) -> None:
    """DuckDB gives the right result of each of our queries on our files."""
    days.write.parquet(f"{tmp_path}/files")
    answers = duck.answers(f"{tmp_path}/files")
    strengths = [row.strength for row in days.where("family = 'purchases'").collect()]
    first_ten, types, average = (answers[query]["rows"] for query in FIRST_VERSION)
    assert len(first_ten) == 10
    assert sorted(types) == [("purchase_axe",), ("purchase_shield",), ("purchase_sword",)]
    assert average[0][0] == pytest.approx(mean(strengths))
    assert sum(count for _, _, count in answers[HOURLY]["rows"]) == days.count()


def test_the_old_layout_gets_the_same_queries() -> None:
    """All queries are the same but the last, which has to take the hour from a text."""
    assert OLD[:-1] == OURS[:-1] == FIRST_VERSION


def test_only_equal_results_are_compared() -> None:
    """Results may differ in the order of rows and the format of a time zone, but not in a count."""
    check_equal(
        HOURLY, [["2026-11-23 20:00:00 UTC", "a", 1], ["x", "b", 2]], [["x", "b", 2], ["2026-11-23 20", "a", 1]]
    )
    check_equal("select * from purchases limit 10", [["a"]], [["b"]])
    with pytest.raises(BenchError, match="expected equal results"):
        check_equal(HOURLY, [["x", "a", 1]], [["x", "a", 2]])
