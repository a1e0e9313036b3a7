"""Plain snappy Parquet files of a family, for tools that do not read Iceberg, with a Hive table over them."""

import argparse
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from game_events.table import family_query
from pyspark.sql import SparkSession

from lake.hdfs import Files
from lake.session import lake_session
from lake.settings import EVENTS, Settings

FAMILIES = ("purchases", "joins", "declarations")

SCHEMA = "export"


def family(name: str) -> str:
    """Parse a command's argument: the name of a family that can be exported."""
    if name not in FAMILIES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(FAMILIES)}, got {name!r}")
    return name


def export(settings: Settings, families: Sequence[str]) -> None:
    """Replace each family's files and switch its table to them, so that readers see either the old or the new ones.

    The table's previous files are kept until the next export, for queries that still read them.
    """
    spark = lake_session("batch-export", settings)
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {SCHEMA} LOCATION '{settings.export_location}'")
    for family in families:
        table, folder = f"{SCHEMA}.{family}", f"{settings.export_location}/{family}"
        version = new_version()
        rows = spark.sql(family_query(family, EVENTS))
        rows.write.option("compression", "snappy").parquet(f"{folder}/{version}")
        _switch(spark, table, dict(rows.dtypes), f"{folder}/{version}")
        _remove_all_but_the_last_two(Files(spark), folder)
        print(f"{table}: {folder}/{version}", flush=True)


def new_version() -> str:
    """Return the name of a new folder; the names sort by age."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def _switch(spark: SparkSession, table: str, columns: dict[str, str], location: str) -> None:
    if not spark.catalog.tableExists(table):
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        spark.sql(f"CREATE EXTERNAL TABLE {table} ({listed}) STORED AS PARQUET LOCATION '{location}'")
        return
    present = {column.name for column in spark.catalog.listColumns(table)}
    for name, kind in columns.items():
        if name not in present:
            spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({name} {kind})")
    spark.sql(f"ALTER TABLE {table} SET LOCATION '{location}'")


def _remove_all_but_the_last_two(files: Files, folder: str) -> None:
    for version in sorted(files.names(folder))[:-2]:
        files.delete(f"{folder}/{version}")
