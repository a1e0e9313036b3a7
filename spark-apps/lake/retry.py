"""What another writer's commit, or another run of maintenance, got in the way of."""

from collections.abc import Callable
from typing import TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lake.termination import root_cause

_ATTEMPTS = 10

_REFUSED = "org.apache.iceberg.exceptions."
_GONE = "java.io.FileNotFoundException"
"""What Iceberg was about to read has been deleted: two runs of maintenance forgot the same snapshots."""
LOCAL = "(No such file or directory)"
"""How Java ends the message where the file is not on HDFS: no other run has deleted it."""

T = TypeVar("T")


def retried(do: Callable[[], T]) -> T:
    """Do what may be done twice, and again for as long as another one gets in its way, a bounded number of times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return do()
        except (PySparkException, Py4JJavaError) as error:
            cause = root_cause(error)
            is_gone = _GONE in cause and LOCAL not in cause
            if attempt == _ATTEMPTS or not (cause.startswith(_REFUSED) or is_gone):
                raise
            print(f"another writer was faster: again ({attempt} of {_ATTEMPTS})", flush=True)
    raise AssertionError
