"""Commits of Iceberg's own API, and the files that a refused one leaves."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lake.termination import causes, root_cause

_log = logging.getLogger(__name__)

_EXCEPTIONS = "org.apache.iceberg.exceptions."
_REFUSALS = (f"{_EXCEPTIONS}ValidationException", f"{_EXCEPTIONS}CommitFailedException")
"""Of a commit that surely did not happen."""
_UNKNOWN = f"{_EXCEPTIONS}CommitStateUnknownException"


class ConflictError(PySparkException):
    """The commit was refused, or its outcome is unknown: the table has to be read again.

    To those who do not know it, it is as any error of a commit that Spark makes.
    """


class RefusedError(ConflictError):
    """Another writer was faster, so nothing was committed."""


def commit(change: Any, table: Any, files: Sequence[Any] = ()) -> None:  # noqa: ANN401 Java's
    """Commit a change that adds these files. Raises ConflictError; if it was refused, the files are deleted."""
    try:
        change.commit()
    except (PySparkException, Py4JJavaError) as error:
        cause = _iceberg_cause(error)
        if cause.startswith(_REFUSALS):
            delete(table, files)
            raise RefusedError(cause) from error
        if cause.startswith(_UNKNOWN):
            raise ConflictError(cause) from error
        raise


def saying(change: Any, summary: Mapping[str, str]) -> Any:  # noqa: ANN401 Java's
    """Return the change with these properties in the summary of its snapshot."""
    for name, value in summary.items():
        change = change.set(name, value)
    return change


def delete(table: Any, files: Sequence[Any]) -> None:  # noqa: ANN401 Java's
    """Delete files, which must not be committed; what is left is deleted as an orphan."""
    for file in files:
        try:
            table.io().deleteFile(file.location())
        except Py4JJavaError as error:
            _log.warning("%s is left to maintenance: %s", file.location(), root_cause(error))


def _iceberg_cause(error: Exception) -> str:
    """Return Iceberg's own words for what happened to a commit: the cause below them may be the metastore's."""
    return next((cause for cause in reversed(causes(error)) if cause.startswith(_EXCEPTIONS)), root_cause(error))
