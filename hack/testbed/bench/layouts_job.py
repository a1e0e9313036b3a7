"""Fill two layouts with the same synthetic days: the table `events`, and all-varchar Parquet files as in version 1.

`layouts_job.py TEMPLATES ROWS RUNS FOLDER`: TEMPLATES are events as JSON. Both layouts get the files that RUNS runs of
a job would leave, one for each partition of the topic and run; the files of schema `old` are under FOLDER.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from game_events import EVENT_TYPES
from game_events.table import COLUMNS, spark_schema
from lake import events_table
from lake.session import lake_session
from lake.settings import EVENTS, Settings
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

_PARTITIONS = 3
_DAYS = 2
_PLAYERS = 10_000
_OLD_COLUMNS = ("accept", "host", "user_agent", "description", "event_type", "strength", "timestamp")
_TIMES = ("received_at", "kafka_timestamp")


def synthetic(spark: SparkSession, templates: list[dict[str, Any]], rows: int, runs: int) -> DataFrame:
    """Return rows of `events`; those of one run and one partition are in one task."""
    tasks = runs * _PARTITIONS
    per_task = -(-rows // tasks)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # Not yesterday: maintenance treats it as a day that still gets rows during the first hour of today.
    begin, length = (midnight - timedelta(days=_DAYS + 1)).timestamp(), _DAYS * 24 * 3600
    task = F.expr(f"id DIV {per_task}")
    offset = F.expr(f"id DIV {per_task * _PARTITIONS} * {per_task} + id % {per_task}")
    time = F.timestamp_millis((F.lit(begin) * 1000 + offset * 1000 * length / (runs * per_task)).cast("long"))
    changed = {
        "event_id": _uuid7(time),
        "player": F.format_string("knight%d.comcast.com", F.pmod(F.xxhash64("id", F.lit("player")), F.lit(_PLAYERS))),
        "strength": F.when(F.col("strength").isNotNull(), _strength()),
        "kafka_partition": (task % _PARTITIONS).cast("int"),
        "kafka_offset": offset,
        **dict.fromkeys(_TIMES, time),
    }
    kind = F.pmod(F.xxhash64("id"), F.lit(len(templates)))
    return (
        spark.range(0, per_task * tasks, 1, tasks)
        .withColumn("kind", kind)
        .join(F.broadcast(_templates(spark, templates)), "kind")
        .withColumns(changed)
        .withColumn("host", F.col("player"))
        .select(*(column.name for column in COLUMNS))
    )


def _templates(spark: SparkSession, templates: list[dict[str, Any]]) -> DataFrame:
    rows = [
        (kind, *({**one, "family": EVENT_TYPES[one["event_type"]].family}.get(c.name) for c in COLUMNS))
        for kind, one in enumerate(dict(one, received_at=None) for one in templates)
    ]
    return spark.createDataFrame(rows, f"kind INT, {spark_schema()}")


def _uuid7(time: Any) -> Any:  # noqa: ANN401 Spark's columns
    hours, drawn = F.lpad(F.lower(F.hex(F.unix_millis(time))), 12, "0"), F.expr("uuid()")
    return F.concat(hours.substr(1, 8), F.lit("-"), hours.substr(9, 4), F.lit("-7"), drawn.substr(16, 21))


def _strength() -> Any:  # noqa: ANN401
    # With a fixed seed, both layouts get the same values.
    return F.least(F.lit(10), F.greatest(F.lit(0), F.round(F.randn(seed=7) * 4 + 5).cast("int")))


def write_old(spark: SparkSession, rows: DataFrame, folder: str) -> None:
    """Write a folder and a table for each family, with only varchar columns."""
    columns = [F.col(name).cast("string") for name in _OLD_COLUMNS if name != "timestamp"]
    old = rows.select("family", *columns, F.col("received_at").cast("string").alias("timestamp"))
    old.write.option("compression", "snappy").partitionBy("family").parquet(folder)
    spark.sql(f"CREATE DATABASE IF NOT EXISTS old LOCATION '{folder}'")
    listed = ", ".join(f"{name} STRING" for name in _OLD_COLUMNS)
    for family in sorted({one.family for one in EVENT_TYPES.values()}):
        location = f"{folder}/family={family}"
        spark.sql(f"CREATE EXTERNAL TABLE old.{family} ({listed}) STORED AS PARQUET LOCATION '{location}'")


def main() -> None:
    templates, rows, runs, folder = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    settings = Settings.from_environment()
    spark = lake_session("layouts", settings)
    events_table.create(spark, settings)
    both = synthetic(spark, templates, rows, runs)
    both.writeTo(EVENTS).append()
    write_old(spark, both, f"{settings.hdfs_uri}{folder}")


if __name__ == "__main__":
    main()
