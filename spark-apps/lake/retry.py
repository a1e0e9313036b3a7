"""Retries of what conflicts with another writer's commit, or with another run of maintenance."""

import logging
from collections.abc import Callable
from typing import TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lake.termination import root_cause

_log = logging.getLogger(__name__)

_ATTEMPTS = 10

_REFUSED = "org.apache.iceberg.exceptions."
_GONE = "java.io.FileNotFoundException"
"""A file that Iceberg was about to read is gone: two runs of maintenance expired the same snapshots."""
_EXPIRED = "arraySize cannot be negative"
"""Iceberg's message if another run has expired snapshots that this one was about to expire."""
_LOCAL = ("(No such file or directory)", "java.nio.file.NoSuchFileException")
"""Of Java's messages about a local file, which no other run has deleted."""

T = TypeVar("T")


def is_local(cause: str) -> bool:
    """Whether a file of this process is missing."""
    return any(one in cause for one in _LOCAL)


def retried(do: Callable[[], T]) -> T:
    """Call `do`, which may run more than once, and again after each conflict, a bounded number of times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return do()
        except (PySparkException, Py4JJavaError) as error:
            cause = root_cause(error)
            is_gone = _GONE in cause and not is_local(cause)
            if attempt == _ATTEMPTS or not (cause.startswith(_REFUSED) or is_gone or _EXPIRED in cause):
                raise
            _log.warning("another writer was faster: again (%d of %d)", attempt, _ATTEMPTS)
    raise AssertionError
