"""Classes of the JVM that a job's Python drives."""

from functools import cache
from typing import Any

from pyspark.sql import SparkSession

Java = Any
"""An object of the JVM."""


@cache
def java_class(spark: SparkSession, name: str) -> Any:  # noqa: ANN401 Java's
    """Return a class by its full name: its static methods and nested classes are attributes.

    Py4J asks for a class at each dot of a name, and the JVM then looks for it in every jar.
    """
    found: Any = spark._jvm
    for part in name.split("."):
        found = getattr(found, part)
    return found
