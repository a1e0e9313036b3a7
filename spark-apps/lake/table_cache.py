"""Iceberg's cache of tables by names of one's own: a way to Spark's writer that stages files and commits nothing."""

from typing import Any

from pyspark.sql import SparkSession


def table_cache(spark: SparkSession) -> Any:  # noqa: ANN401 Java's
    # It has another method `get`, and which of the two py4j takes for the static one is chance.
    java: Any = spark._jvm.java.lang  # type: ignore[union-attr]
    array = spark.sparkContext._gateway.new_array  # type: ignore[union-attr]
    get = java.Class.forName("org.apache.iceberg.spark.SparkTableCache").getMethod("get", array(java.Class, 0))
    return get.invoke(None, array(java.Object, 0))
