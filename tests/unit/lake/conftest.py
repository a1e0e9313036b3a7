"""The table `events`, in a catalog of Spark's own instead of a metastore."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from game_events.table import spark_schema
from lake.settings import EVENTS
from pyspark.sql import SparkSession

_PROPERTIES = {
    "format-version": "2",
    "write.distribution-mode": "none",
    "write.merge.mode": "merge-on-read",
    "write.merge.isolation-level": "serializable",
}


@pytest.fixture
def events(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """The directory of the table, which is empty."""
    catalog, namespace, name = EVENTS.split(".")
    conf = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "hadoop", ".cache-enabled": "false"}
    conf[".warehouse"] = f"file:{tmp_path}"
    for key, value in conf.items():
        spark.conf.set(f"spark.sql.catalog.{catalog}{key}", value)
    spark._jsparkSession.sessionState().catalogManager().reset()
    properties = ", ".join(f"'{key}'='{value}'" for key, value in _PROPERTIES.items())
    spark.sql(
        f"CREATE TABLE {EVENTS} ({spark_schema()}) USING iceberg "
        f"PARTITIONED BY (days(received_at), kafka_partition) TBLPROPERTIES ({properties})"
    )
    yield tmp_path / namespace / name
    spark.sql(f"DROP TABLE {EVENTS}")
