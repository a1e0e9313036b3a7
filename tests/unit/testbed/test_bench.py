from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import duckdb
import pytest
from game_api import create_app
from game_events import EVENT_TYPES, decode, encode
from game_events.event_ids import is_service_made
from game_events.table import spark_schema
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from testbed.bench import duck, rebuild, traffic
from testbed.bench.cost import BenchError
from testbed.bench.freshness import View, delays
from testbed.bench.jobs import Cost
from testbed.bench.lake_rows import queries_rows
from testbed.bench.layouts_job import synthetic, write_old_files
from testbed.bench.load import NEW_KEY, with_keys
from testbed.bench.queries import PEERS, Files, Measured, check_equal, filling
from testbed.bench.questions import FAMILIES, NAMES, TEXT, TYPED, VIEWS, questions
from testbed.bench.report import Row, table

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog


@pytest.mark.parametrize("records", [traffic.records(2345), rebuild.records(2345)])
def test_records_are_valid_events_half_of_them_keyed(records: Iterator[tuple[bytes, bytes]]) -> None:
    """Records for the jobs and the world are what the API would write: half are keyed, and a few are retries."""
    pairs = list(records)
    events = [decode(value) for _, value in pairs]
    assert all(event["player"].encode() == key for (key, _), event in zip(pairs, events, strict=True))
    keyed = [event for event in events if event.get("idempotent")]
    assert len(keyed) / len(events) == pytest.approx(0.5, abs=0.02)
    assert not any(is_service_made(event["event_id"]) for event in keyed)
    retries = len(events) - len({event["event_id"] for event in events})
    assert 0 < retries / len(events) < 0.02
    assert len(keyed) - len({event["event_id"] for event in keyed}) == retries


def test_records_are_of_every_unconditional_type() -> None:
    types = {decode(value)["event_type"] for _, value in traffic.records(100)}
    assert types == {one["event_type"] for one in traffic.free_templates()}


def test_half_of_the_load_generators_events_are_keyed() -> None:
    """Half of the single requests have a key and half of a bulk request's events; a health check has none."""
    requests = traffic.single_requests()
    assert sum(NEW_KEY.encode() in one for one in requests) == len(requests) / 2
    assert [one.count(NEW_KEY.encode()) for one in traffic.bulk_requests(100)[:2]] == [50, 50]
    assert not any(NEW_KEY.encode() in one for one in traffic.health_requests())


def test_no_two_requests_of_the_load_generator_have_a_key_in_common() -> None:
    """A request that is sent again carries new keys of the same length: it is no retry."""
    request = f"a {NEW_KEY} b {NEW_KEY}".encode()
    sent = [with_keys(request) for _ in range(3)]
    assert len({key for one in sent for key in one.split()[1::2]}) == 6
    assert {len(one) for one in sent} == {len(request)}


@pytest.mark.parametrize(
    "request_", [*traffic.single_requests()[:7], *traffic.health_requests()[:1], traffic.bulk_requests(100)[1]]
)
def test_the_api_accepts_the_load_generators_requests(request_: bytes) -> None:
    """The API answers every request of the load generator with 200."""
    head, _, body = with_keys(request_).decode().partition("\r\n\r\n")
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


FIRST_DAY = date(2026, 11, 23)
# Few players, so that many of them play on both days.
FILLING = replace(filling(FIRST_DAY, rows=1000, runs=4), players=60)


@pytest.fixture(scope="module")
def days(spark: SparkSession) -> DataFrame:
    return synthetic(spark, FILLING).cache()


def test_synthetic_rows_have_the_tables_columns(spark: SparkSession, days: DataFrame) -> None:
    """Every row is a valid event with the columns of the table, or a rejected record; offsets are unique."""
    assert days.dtypes == spark.createDataFrame([], spark_schema()).dtypes
    columns = [name for name in days.columns if name not in ("family", "received_at") and "kafka" not in name]
    rows = days.select("family", *columns, F.unix_millis("received_at").alias("received_at")).collect()
    valid = [row for row in rows if row.family != "rejected"]
    assert 0.01 < 1 - len(valid) / len(rows) < 0.1
    for row in valid:
        event = {name: value for name, value in row.asDict().items() if value is not None and name != "family"}
        assert EVENT_TYPES[decode(encode(event))["event_type"]].family == row.family
    assert {row.family for row in rows} == {*FAMILIES, "rejected"}
    assert days.select("kafka_partition", "kafka_offset").distinct().count() == len(rows)


def test_half_of_the_synthetic_rows_are_keyed(days: DataFrame) -> None:
    """Only keyed rows have ids of their client's; a few are retries, which directly follow what they repeat."""
    rows = days.where("family <> 'rejected'").orderBy("kafka_partition", "kafka_offset").collect()
    keyed = [row for row in rows if row.idempotent]
    assert len(keyed) / len(rows) == pytest.approx(0.5, abs=0.06)
    assert all(is_service_made(row.event_id) == (not row.idempotent) for row in rows)
    retries = [
        (one, after)
        for one, after in pairwise(rows)
        if (one.player, one.event_type, one.event_id) == (after.player, after.event_type, after.event_id)
    ]
    assert len(rows) - len({row.event_id for row in rows}) == len(retries) > 0
    assert all(one.idempotent and after.kafka_offset - one.kafka_offset == 1 for one, after in retries)


def test_all_records_of_a_player_are_in_one_partition(days: DataFrame) -> None:
    """As in the topic, whose records have their player as the key; not every player plays on both days."""
    of_player = days.where("player IS NOT NULL").groupBy("player")
    assert of_player.agg(F.countDistinct("kafka_partition").alias("count")).where("count > 1").count() == 0


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


@pytest.fixture(scope="module")
def answers(days: DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """DuckDB's answers on our files, by question."""
    folder = tmp_path_factory.mktemp("files")
    days.coalesce(1).write.mode("overwrite").parquet(str(folder))
    found = days.where("family = 'visits'").first()
    assert found
    asked = questions(TYPED, FIRST_DAY, found.player)
    return {name: answer["rows"] for name, answer in duck.answers(str(folder), asked).items()}


def test_duckdb_answers_every_question(days: DataFrame, answers: dict[str, Any]) -> None:
    """DuckDB gives the right answer to each question, and counts a retried event once."""
    assert len(NAMES) == 10
    assert list(answers) == list(NAMES)
    assert all(answers.values())
    once = {(row.player, row.event_type, row.event_id): row for row in days.where("family <> 'rejected'").collect()}
    bought = [row for row in once.values() if row.family == "purchases"]
    assert answers["average strength of all purchases"][0][0] == pytest.approx(mean(row.strength for row in bought))
    assert sum(count for _, _, count in answers["events per hour and type"]) == len(once)
    # A quarter of the players play on the first day only.
    [[came, back]] = answers["retention: visitors who are back on the next day"]
    assert 0 < back < came
    rejected = dict(answers["share of rejected records per day"])
    assert all(0 < share < 0.1 for share in rejected.values())


def test_the_old_layout_gives_the_same_answers(
    spark: SparkSession, answers: dict[str, Any], days: DataFrame, tmp_path: Path
) -> None:
    """Asked in its own dialect, the layout with text columns and without retries agrees on every question."""
    folder = str(tmp_path / "old")
    write_old_files(synthetic(spark, FILLING, with_retries=False).coalesce(1), folder)
    connection = duckdb.connect()
    for view in VIEWS:
        family = "rejected" if view not in FAMILIES else view
        connection.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet('{folder}/family={family}/*.parquet')")
    found = days.where("family = 'visits'").first()
    assert found
    for name, query in questions(TEXT, FIRST_DAY, found.player).items():
        check_equal(name, {"typed": answers[name], "text": connection.execute(query).fetchall()})


def test_only_equal_results_are_compared() -> None:
    """Results may differ in the order of rows and the format of a time, but not in a count; an empty one is no test."""
    check_equal(
        "hours",
        {
            "a": [["2026-11-23 20:00:00 UTC", "a", 1], ["2026-11-23", "b", 0.1 + 0.2]],
            "b": [["2026-11-23", "b", 0.3], ["2026-11-23 20:00:00.000", "a", 1]],
        },
    )
    with pytest.raises(BenchError, match="expected equal results"):
        check_equal("hours", {"a": [["x", "a", 1]], "b": [["x", "a", 2]]})
    with pytest.raises(BenchError, match="expected rows"):
        check_equal("hours", {"a": [], "b": []})


def test_each_peer_of_the_questions_has_its_column() -> None:
    """The gain of each layout is seen by question; the ratios to the peers follow, a missed target as missed."""
    costs = dict(zip(PEERS, [Cost(2.0, 1.0), Cost(4.0, 2.0), Cost(6.0, 3.5), Cost(0.5, 0.4)], strict=True))
    printed = table(queries_rows([[Measured("players", costs)]], 1000, Files(2, 12, 9)))
    assert "| players | 1.00 / 2.00 | 2.00 / 4.00 | 3.50 / 6.00 | 0.40 / 0.50 |" in printed
    assert "0.40 s, DuckDB on the same files, fetched beforehand | 2.50 (2.50 to 2.50) | at most 2.0x: **mis" in printed
    assert "3.50 s, all varchar, 9 files a family | 0.29 (0.29 to 0.29) | 3x less CPU: met |" in printed
    assert printed.count("|---|---|---|---|---|\n") == 2
