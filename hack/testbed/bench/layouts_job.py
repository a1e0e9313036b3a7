"""Fill two layouts with the same synthetic days: the table `events`, and all-varchar Parquet files as in version 1.

`layouts_job.py FILLING FOLDER`: FILLING is a Filling as JSON. Both layouts get the files that its runs of a job would
leave, one for each partition of the topic and run; the files of schema `old` are under FOLDER. They hold each event
once, as if their writer had found the retries: the first version's columns tell no retry from another event.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from game_events import EVENT_TYPES, REJECTED
from game_events.event_ids import SERVICE_MADE
from game_events.table import COLUMNS, spark_schema
from lake import events_table
from lake.session import lake_session
from lake.settings import EVENTS, FILE_SYSTEM, Settings
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

PARTITIONS = 3
_FIRST_VERSION = ("accept", "host", "user_agent", "description", "event_type", "strength", "timestamp")
# And what the questions need besides.
_NAMES = (*_FIRST_VERSION, "player", "guild", "gold", "error")
_TIMES = ("received_at", "kafka_timestamp")
_GUILDS = 100


@dataclass(frozen=True)
class Filling:
    """`rows` rows made from `templates`, over `days` days from `start` (ISO, UTC), in the files of `runs` runs.

    A template with `idempotent` is a keyed event; of `retried_every` rows, one repeats the row before it if that is
    keyed. A quarter of the `players` play on the first day only, and another on the last.
    """

    templates: Sequence[dict[str, Any]]
    rows: int
    runs: int
    start: str
    days: float
    players: int
    retried_every: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def synthetic(spark: SparkSession, filling: Filling, *, with_retries: bool = True) -> DataFrame:
    """Return rows of `events`; those of one run and one partition are in one task."""
    tasks = filling.runs * PARTITIONS
    per_task = -(-filling.rows // tasks)
    task = F.expr(f"id DIV {per_task}")
    offset = F.expr(f"id DIV {per_task * PARTITIONS} * {per_task} + id % {per_task}")
    begin = datetime.fromisoformat(filling.start).replace(tzinfo=UTC).timestamp() * 1000
    step = filling.days * 24 * 3600 * 1000 / (filling.runs * per_task)
    time = F.timestamp_millis((F.lit(begin) + offset * step).cast("long"))
    partition = (task % PARTITIONS).cast("int")
    number = _player(filling, F.floor(offset * step / (24 * 3600 * 1000)), partition)
    player = F.format_string("knight%d.comcast.com", number)
    changed = {
        "event_id": F.when(F.col("idempotent"), _uuid4()).otherwise(_uuid7(time)),
        "player": player,
        "host": player,
        "strength": F.when(F.col("strength").isNotNull(), _strength()),
        "guild": F.when(F.col("guild").isNotNull(), F.format_string("guild %d", F.pmod(number, F.lit(_GUILDS)))),
        "kafka_partition": partition,
        "kafka_offset": offset,
        **dict.fromkeys(_TIMES, time),
    }
    is_valid = F.col("family") != REJECTED
    of_events = ("event_id", "player", "host")
    rows = (
        spark.range(0, per_task * tasks, 1, tasks)
        # What a row is made from: its own number, or for a retry that of the row before it.
        .withColumn("source", F.when(_is_retry(filling, per_task), F.col("id") - 1).otherwise(F.col("id")))
        .withColumn("kind", _kind(filling, F.col("source")))
        .join(F.broadcast(_templates(spark, filling.templates)), "kind")
        .withColumns({name: F.when(is_valid, made) if name in of_events else made for name, made in changed.items()})
    )
    kept = rows if with_retries else rows.where("source = id")
    return kept.select(*(column.name for column in COLUMNS))


def _kind(filling: Filling, source: Column) -> Column:
    return F.pmod(F.xxhash64(source), F.lit(len(filling.templates)))


def _is_retry(filling: Filling, per_task: int) -> Column:
    keyed = [kind for kind, template in enumerate(filling.templates) if "idempotent" in template]
    before = F.col("id") - 1
    in_same_task = F.col("id") % per_task > 0
    return in_same_task & (F.col("id") % filling.retried_every == 1) & _kind(filling, before).isin(keyed)


def _player(filling: Filling, day: Column, partition: Column) -> Column:
    """Draw a player of this day whose records are in this partition of the topic."""
    drawn = F.pmod(F.xxhash64("source", F.lit("player")), F.lit(filling.players // (4 * PARTITIONS)))
    quarter = F.pmod(F.xxhash64("source", F.lit("quarter")), F.lit(3)) + F.least(day, F.lit(1))
    return (drawn * 4 + quarter) * PARTITIONS + partition


def _templates(spark: SparkSession, templates: Sequence[dict[str, Any]]) -> DataFrame:
    rows = [
        (kind, *(_value({**one, "received_at": None}, column.name) for column in COLUMNS))
        for kind, one in enumerate(templates)
    ]
    return spark.createDataFrame(rows, f"kind INT, {spark_schema()}")


def _value(template: dict[str, Any], name: str) -> Any:  # noqa: ANN401 a column's
    if name == "family" and name not in template:
        return EVENT_TYPES[template["event_type"]].family
    value = template.get(name)
    return value.encode() if name.startswith("raw_") and value else value


def _drawn() -> Column:
    """Draw 32 hexadecimal digits for a row; a retry draws the same."""
    return F.md5(F.col("source").cast("string"))


def _uuid4() -> Column:
    drawn = _drawn()
    groups = [drawn.substr(first, length) for first, length in ((1, 8), (9, 4), (14, 3), (18, 3), (21, 12))]
    return F.format_string("%s-%s-4%s-8%s-%s", *groups)


def _uuid7(time: Column) -> Column:
    made, drawn = F.lpad(F.lower(F.hex(F.unix_millis(time))), 12, "0"), _drawn()
    fixed = SERVICE_MADE[18:24]
    return F.format_string(
        f"%s-%s-7%s{fixed}%s", made.substr(1, 8), made.substr(9, 4), drawn.substr(1, 3), drawn.substr(4, 12)
    )


def _strength() -> Column:
    spread = F.pmod(F.xxhash64("source", F.lit("first")), F.lit(6))
    return (spread + F.pmod(F.xxhash64("source", F.lit("second")), F.lit(6))).cast("int")


def write_old_files(rows: DataFrame, folder: str) -> None:
    """Write a folder for each family, with only varchar columns."""
    columns = [F.col("received_at" if name == "timestamp" else name).cast("string").alias(name) for name in _NAMES]
    rows.select("family", *columns).write.option("compression", "snappy").partitionBy("family").parquet(folder)


def _create_old_tables(spark: SparkSession, folder: str) -> None:
    spark.sql(f"CREATE DATABASE IF NOT EXISTS old LOCATION '{folder}'")
    listed = ", ".join(f"{name} STRING" for name in _NAMES)
    for family in sorted({REJECTED, *(one.family for one in EVENT_TYPES.values())}):
        table = "rejected_events" if family == REJECTED else family
        location = f"{folder}/family={family}"
        spark.sql(f"CREATE EXTERNAL TABLE old.{table} ({listed}) STORED AS PARQUET LOCATION '{location}'")


def main() -> None:
    filling, folder = Filling(**json.loads(sys.argv[1])), sys.argv[2]
    settings = Settings.from_environment()
    spark = lake_session("layouts", settings)
    events_table.create(spark, settings)
    synthetic(spark, filling).writeTo(EVENTS).append()
    old = f"{FILE_SYSTEM}{folder}"
    write_old_files(synthetic(spark, filling, with_retries=False), old)
    _create_old_tables(spark, old)


if __name__ == "__main__":
    main()
