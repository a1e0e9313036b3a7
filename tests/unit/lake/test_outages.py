"""Which errors are waited for, because they pass when a server is back."""

import pytest
from lake.offsets import UnavailableError
from lake.outages import outage
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession


def test_hdfs_is_down(spark: SparkSession) -> None:
    """A NameNode that refuses connections is an outage, whatever reported it."""
    once = spark.read.option("ipc.client.connect.max.retries", "0")
    with pytest.raises((PySparkException, Py4JJavaError)) as found:
        once.text("hdfs://127.0.0.1:1/events")
    assert "Connection refused" in (outage(found.value) or "")


def test_the_metastore_is_down(spark: SparkSession) -> None:
    """So is a metastore that refuses connections."""
    settings = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "hive", ".uri": "thrift://127.0.0.1:1"}
    for name, value in settings.items():
        spark.conf.set(f"spark.sql.catalog.down{name}", value)
    with pytest.raises((PySparkException, Py4JJavaError)) as found:
        spark.table("down.default.events")
    assert "Connection refused" in (outage(found.value) or "")


def test_the_broker_is_down() -> None:
    """A broker that does not answer is an outage."""
    assert outage(UnavailableError("no answer")) == "no answer"


def test_other_errors(spark: SparkSession) -> None:
    """An error that stays is none."""
    with pytest.raises(PySparkException) as found:
        spark.sql("SELECT nothing")
    assert outage(found.value) is None
    assert outage(RuntimeError("connection refused")) is None
