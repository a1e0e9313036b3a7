"""The table `events`, in a catalog of Spark's own instead of a metastore."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lake import events_table
from lake.settings import EVENTS, ROLLUPS
from pyspark.sql import SparkSession


@pytest.fixture
def events(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """The directory of the table, which is empty."""
    catalog, namespace, name = EVENTS.split(".")
    conf = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "hadoop", ".cache-enabled": "false"}
    conf[".warehouse"] = f"file:{tmp_path}"
    for key, value in conf.items():
        spark.conf.set(f"spark.sql.catalog.{catalog}{key}", value)
    spark._jsparkSession.sessionState().catalogManager().reset()
    folder = tmp_path / namespace / name
    spark.sql(events_table.definition(f"file:{folder}"))
    yield folder
    spark.sql(f"DROP TABLE {EVENTS}")
    spark.sql(f"DROP TABLE IF EXISTS {ROLLUPS}")
