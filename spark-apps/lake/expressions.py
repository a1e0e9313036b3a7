"""Iceberg's filters, by which its own API chooses files."""

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import SparkSession

from lake.java_class import Java, java_class


def expressions(spark: SparkSession) -> Java:
    """Return Iceberg's class of filters."""
    return java_class(spark, "org.apache.iceberg.expressions.Expressions")


def between(spark: SparkSession, column: str, start: int | str, end: int | str) -> Java:
    """Return the filter for the rows whose value is at least `start` and less than `end`."""
    make = expressions(spark)
    return all_of(spark, make.greaterThanOrEqual(column, start), make.lessThan(column, end))


def all_of(spark: SparkSession, *filters: Java) -> Java:
    """Return the filter for the rows that match all of these, which are at least one."""
    return reduce(getattr(expressions(spark), "and"), filters)


def any_of(spark: SparkSession, filters: Iterable[Java]) -> Java:
    """Return the filter for the rows that match any of these, which are at least one."""
    return reduce(getattr(expressions(spark), "or"), filters)
