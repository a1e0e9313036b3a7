"""Commits that were refused because another writer's commit came first."""

from collections.abc import Callable
from typing import TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from termination import root_cause

_ATTEMPTS = 10

T = TypeVar("T")


def retried(do: Callable[[], T]) -> T:
    """Do what may be done twice, and again for as long as Iceberg refuses it, a bounded number of times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return do()
        except (PySparkException, Py4JJavaError) as error:
            if not root_cause(error).startswith("org.apache.iceberg.exceptions.") or attempt == _ATTEMPTS:
                raise
            print(f"another writer was faster: again ({attempt} of {_ATTEMPTS})", flush=True)
    raise AssertionError
