"""The metastore as Hive's client sees it: Spark has no API for other engines' views, or for a schema's location."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession

from lake.hdfs import Files
from lake.java_class import java_class
from lake.settings import FILE_SYSTEM

Java = Any
"""An object of the JVM."""

NO_LONG_WAIT = {
    # Connections to a metastore whose machine is lost stay open. By default a client waits ten minutes for its answer.
    "hive.metastore.client.socket.timeout": "120s",
}
"""Settings of a client of the metastore."""


@contextmanager
def metastore(spark: SparkSession, uri: str) -> Iterator[Java]:
    """Connect to the metastore; yield a HiveMetaStoreClient."""
    configuration = java_class(spark, "org.apache.hadoop.hive.conf.HiveConf")()
    for name, value in {"hive.metastore.uris": uri, **NO_LONG_WAIT}.items():
        configuration.set(name, value)
    client = java_class(spark, "org.apache.hadoop.hive.metastore.HiveMetaStoreClient")(configuration)
    try:
        yield client
    finally:
        client.close()


def forget(spark: SparkSession, uri: str, name: str, *, if_lost: bool = False) -> None:
    """Remove a table of Iceberg from the catalog, if it is there; its files stay.

    `if_lost`: only if its metadata should be in this file system and is not.
    """
    _, schema, table = name.split(".")
    with metastore(spark, uri) as client:
        if if_lost and client.tableExists(schema, table):
            # One that is not Iceberg's has none.
            metadata = client.getTable(schema, table).getParameters().get("metadata_location") or ""
            if not metadata.startswith(f"{FILE_SYSTEM}/") or Files(spark).exists(metadata):
                return
        client.dropTable(schema, table, False, True)
