"""Plain snappy Parquet files of a family, for tools that read no Iceberg, with a Hive table over them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from game_events.table import family_query
from pyspark.sql import SparkSession
from session import lake_session
from settings import EVENTS, Settings

FAMILIES = ("purchases", "joins", "declarations")

SCHEMA = "export"


def export(settings: Settings, families: Sequence[str]) -> None:
    """Replace each family's files and switch its table to them, so that a reader sees the old or the new, whole.

    The files that the table leaves stay for one more export, for the readers that are at them.
    """
    spark = lake_session("batch-export", settings)
    root = f"{settings.hdfs_uri}/{SCHEMA}"
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {SCHEMA} LOCATION '{root}'")
    for family in families:
        version = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        location = f"{root}/{family}/{version}"
        rows = spark.sql(family_query(family, EVENTS))
        rows.write.option("compression", "snappy").parquet(location)
        _switch(spark, f"{SCHEMA}.{family}", ", ".join(f"{name} {kind}" for name, kind in rows.dtypes), location)
        print(f"{SCHEMA}.{family}: {location}", flush=True)


def _switch(spark: SparkSession, table: str, columns: str, location: str) -> None:
    if spark.catalog.tableExists(table):
        spark.sql(f"ALTER TABLE {table} SET LOCATION '{location}'")
    else:
        spark.sql(f"CREATE EXTERNAL TABLE {table} ({columns}) STORED AS PARQUET LOCATION '{location}'")
