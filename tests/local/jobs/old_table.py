"""A job that makes tables as older versions did: their paths name the NameNode's host and port."""

import sys

from lake import events_table, rollups
from lake.session import lake_session
from lake.settings import Settings

namenode = sys.argv[1]
settings = Settings.from_environment()
spark = lake_session("old", settings)
spark.sql(events_table.definition(f"{namenode}/lake/events"))
rollups.create(spark, f"{namenode}/lake/rollups")
spark.sql(f"CREATE DATABASE export LOCATION '{namenode}/export'")
spark.sql(f"CREATE EXTERNAL TABLE export.joins (player STRING) STORED AS PARQUET LOCATION '{namenode}/export/joins'")
