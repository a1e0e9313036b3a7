"""Iteration over what Java reads piece by piece."""

import pytest
from lake.java_class import java_class
from lake.java_iterable import IterationError, each
from pyspark.sql import SparkSession


def test_an_error_is_not_the_end(spark: SparkSession) -> None:
    """An iterable that fails in the middle raises an error; it does not end early."""
    elements = java_class(spark, "java.util.ArrayList")()
    elements.add("one")
    elements.add("two")
    # Not withNoopClose: a list fits two of its overloads, and py4j takes either.
    group = java_class(spark, "org.apache.iceberg.io.CloseableGroup")()
    found = each(java_class(spark, "org.apache.iceberg.io.CloseableIterable").combine(elements, group))
    assert next(found) == "one"
    # A Java list refuses to go on after this.
    elements.add("three")
    with pytest.raises(IterationError):
        next(found)
