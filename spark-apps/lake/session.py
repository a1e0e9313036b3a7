"""The Spark session of every job."""

from pyspark.sql import SparkSession

from lake.metastore import NO_LONG_WAIT
from lake.settings import FILE_SYSTEM, Settings

QUICK_CLOSE = {
    # A file can be closed once its DataNodes have reported it to the NameNode. By default the next try is after 400 ms.
    "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "20",
    "dfs.client.block.write.locateFollowingBlock.retries": "10",
}
"""Settings of an HDFS client."""


def lake_session(name: str, settings: Settings) -> SparkSession:
    """Return a session with the catalog `lake` (Iceberg) and, as its default catalog, the Hive metastore itself."""
    conf: dict[str, bool | float | int | str | None] = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hive",
        "spark.sql.catalog.lake.uri": settings.metastore_uri,
        # A job sees what others have committed, not what it saw 30 s ago.
        "spark.sql.catalog.lake.cache-enabled": "false",
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.hive.metastore.uris": settings.metastore_uri,
        **{f"spark.hadoop.{name}": value for name, value in NO_LONG_WAIT.items()},
        **{f"spark.hadoop.{name}": value for name, value in QUICK_CLOSE.items()},
        "spark.sql.warehouse.dir": f"{FILE_SYSTEM}/warehouse",
        "spark.sql.session.timeZone": "UTC",
        # Many tools do not read Spark's default, INT96, as a timestamp.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        # While a local master waits for a better locality it makes no new offers, so that the wait never ends. Tasks
        # that prefer a DataNode's host were never started beside a shuffle's tasks, which prefer this one.
        "spark.locality.wait": "0s",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    return SparkSession.builder.appName(name).config(map=conf).getOrCreate()
