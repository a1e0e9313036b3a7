"""Mending: rejected rows that are valid under today's contract become the rows of their events.

Everything comes from the table itself, so that it works after Kafka has deleted the records.
"""

import time
import uuid
from dataclasses import dataclass, field

from game_events import REJECTED
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from lake import events_table
from lake.progress import reported
from lake.retry import retried
from lake.session import lake_session
from lake.settings import EVENTS, Settings
from lake.transforms import to_events

_RUN = "gamelake.mend"
"""In the summary of a snapshot: the run that committed it."""

_RECORDS = (
    "raw_key AS key, raw_value AS value, kafka_partition AS partition, kafka_offset AS offset, "
    "kafka_timestamp AS timestamp"
)
"""A row's record, with the columns of Spark's Kafka source."""


@dataclass(frozen=True)
class Mended:
    """How many rows were rejected, how many of them are valid by family, and how many of those were replaced."""

    rejected: int = 0
    families: dict[str, int] = field(default_factory=dict)
    replaced: int = 0

    @property
    def valid(self) -> int:
        return sum(self.families.values())

    def __str__(self) -> str:
        if not self.rejected:
            return "no rejected rows: nothing to do"
        if not self.valid:
            return f"rejected rows: {self.rejected}; none is valid by now: nothing to do"
        families = ", ".join(f"{family} {count}" for family, count in sorted(self.families.items()))
        missed = self.valid - self.replaced
        faster = f" (of which another job was faster with {missed})" if missed else ""
        return (
            f"rejected rows: {self.rejected}; valid by now and replaced: {self.valid}{faster}: {families}; "
            f"still rejected: {self.rejected - self.valid}"
        )


def mend(settings: Settings) -> None:
    """Replace the rejected rows that are valid by now, and print how many."""
    started = time.monotonic()
    spark = lake_session("batch-mend", settings)
    events_table.create(spark, settings)
    with reported(spark):
        done = retried(lambda: mended(spark))
    print(f"{done} ({time.monotonic() - started:.1f} s)", flush=True)


def mended(spark: SparkSession) -> Mended:
    """Replace the rejected rows that are valid by now, in one commit.

    If another writer changes the files of these rows meanwhile, Iceberg refuses the commit. A row that is no longer
    rejected, because it was erased or mended, stays as it is.
    """
    current = spark.table(f"{EVENTS}.refs").where("name = 'main'").first()
    if current is None:
        return Mended()
    # Both queries count the same rows, whatever others commit meanwhile.
    rows = f"{EVENTS} VERSION AS OF {current.snapshot_id} WHERE family = '{REJECTED}'"
    [counted] = spark.sql(f"SELECT count(*) AS rejected FROM {rows}").collect()
    if not counted.rejected:
        return Mended()
    decoded = to_events(spark.sql(f"SELECT {_RECORDS} FROM {rows}"))
    # Decoded once, for the count and for the merge.
    valid = decoded.where(F.col("family") != REJECTED).localCheckpoint()
    parts = (
        valid.groupBy("kafka_partition", "family")
        .agg(F.count("*").alias("rows"), F.min("kafka_offset").alias("first"), F.max("kafka_offset").alias("last"))
        .collect()
    )
    families: dict[str, int] = {}
    for part in parts:
        families[part.family] = families.get(part.family, 0) + part.rows
    if not parts:
        return Mended(counted.rejected)
    # Literal bounds: new rows, whose offsets are greater, do not conflict with this commit.
    inside = " OR ".join(
        f"(t.kafka_partition = {part.kafka_partition} AND t.kafka_offset BETWEEN {part.first} AND {part.last})"
        for part in parts
    )
    return Mended(counted.rejected, families, _replace(valid, inside))


def _replace(valid: DataFrame, inside: str) -> int:
    """Replace the rows of the same offsets that are still rejected; return how many."""
    spark, run = valid.sparkSession, uuid.uuid4().hex
    valid.createOrReplaceTempView("mended")
    setting = f"spark.sql.iceberg.snapshot-property.{_RUN}"
    spark.conf.set(setting, run)
    try:
        spark.sql(
            f"MERGE INTO {EVENTS} AS t USING mended AS s "
            f"ON t.kafka_partition = s.kafka_partition AND t.kafka_offset = s.kafka_offset "
            f"AND t.family = '{REJECTED}' AND ({inside}) WHEN MATCHED THEN UPDATE SET *"
        )
    finally:
        spark.conf.unset(setting)
    added = "coalesce(CAST(summary['added-records'] AS BIGINT), 0) AS added"
    commit = spark.table(f"{EVENTS}.snapshots").where(f"summary['{_RUN}'] = '{run}'").selectExpr(added).first()
    return int(commit.added) if commit else 0
