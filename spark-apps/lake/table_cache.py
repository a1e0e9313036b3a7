"""Iceberg's cache of tables by names of one's own: a way to Spark's writer that stages files and commits nothing."""

from functools import cache
from typing import Any

from pyspark.sql import SparkSession

from lake.java_class import java_class


@cache
def table_cache(spark: SparkSession) -> Any:  # noqa: ANN401 Java's
    # It has another method `get`, and which of the two py4j takes for the static one is chance.
    array = spark.sparkContext._gateway.new_array  # type: ignore[union-attr]
    java, thing = java_class(spark, "java.lang.Class"), java_class(spark, "java.lang.Object")
    get = java.forName("org.apache.iceberg.spark.SparkTableCache").getMethod("get", array(java, 0))
    return get.invoke(None, array(thing, 0))
