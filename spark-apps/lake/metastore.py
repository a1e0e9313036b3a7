"""The metastore as Hive's client sees it: Spark has no API for other engines' views, or for a schema's location."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from lake.hdfs import Files
from lake.java_class import Java, java_class
from lake.settings import FILE_SYSTEM

NO_LONG_WAIT = {
    # Connections to a metastore whose machine is lost stay open. By default a client waits ten minutes for its answer.
    "hive.metastore.client.socket.timeout": "120s",
}
"""Settings of a client of the metastore."""
_METADATA = "metadata_location"
"""A parameter of Iceberg's tables: the path of their metadata."""


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


def repoint(spark: SparkSession, uri: str, name: str, metadata_file: str) -> bool:
    """Let a table of Iceberg have other metadata; return False if the catalog has no such table.

    Iceberg itself registers only what the catalog does not have. So the table is never missing, even if this is killed.
    """
    _, schema, table = name.split(".")
    with metastore(spark, uri) as client:
        if not client.tableExists(schema, table):
            return False
        found = client.getTable(schema, table)
        if not found.getParameters().get(_METADATA):
            return False
        # What else the catalog says of the table, its columns for one, follows with the next commit.
        found.getParameters().put(_METADATA, metadata_file)
        java_class(spark, "org.apache.iceberg.hive.MetastoreUtil").alterTable(client, schema, table, found)
    return True


def forget_lost(spark: SparkSession, uri: str, name: str) -> None:
    """Remove a table of Iceberg from the catalog if its metadata should be in this file system and is not."""
    _, schema, table = name.split(".")
    with metastore(spark, uri) as client:
        if not client.tableExists(schema, table):
            return
        # One that is not Iceberg's has none.
        metadata = client.getTable(schema, table).getParameters().get(_METADATA) or ""
        if metadata.startswith(f"{FILE_SYSTEM}/") and not Files(spark).exists(metadata):
            client.dropTable(schema, table, False, True)
