"""The Spark session of every job."""

from pyspark.sql import SparkSession

from lake.settings import Settings


def lake_session(name: str, settings: Settings) -> SparkSession:
    """A session with catalog `lake` (Iceberg) and, as its default catalog, the Hive metastore itself."""
    conf: dict[str, bool | float | int | str | None] = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hive",
        "spark.sql.catalog.lake.uri": settings.metastore_uri,
        # A job sees what others committed, not what it saw 30 s ago.
        "spark.sql.catalog.lake.cache-enabled": "false",
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.hive.metastore.uris": settings.metastore_uri,
        "spark.hadoop.fs.defaultFS": settings.hdfs_uri,
        "spark.hadoop.dfs.replication": str(settings.hdfs_replication),
        # A file is closed when its DataNodes have told the NameNode of it; who asks too early waits 400 ms by default.
        "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "20",
        "spark.hadoop.dfs.client.block.write.locateFollowingBlock.retries": "10",
        "spark.sql.warehouse.dir": f"{settings.hdfs_uri}/warehouse",
        "spark.sql.session.timeZone": "UTC",
        # Spark's default, INT96, is read as no timestamp type by much else.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        # A local master offers nothing while it waits for a better place, so that the wait never ends: tasks that
        # prefer a DataNode's host, beside a shuffle's that prefer this one, were never started.
        "spark.locality.wait": "0s",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    return SparkSession.builder.appName(name).config(map=conf).getOrCreate()
