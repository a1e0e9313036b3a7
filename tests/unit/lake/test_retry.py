"""Which errors of a job count as a conflict with another writer, so that it tries again."""

import pytest
from lake.retry import retried
from pyspark.errors import PySparkException


class Work:
    """Fails once, and then succeeds."""

    def __init__(self, cause: str) -> None:
        self._cause = cause
        self.attempts = 0

    def __call__(self) -> int:
        self.attempts += 1
        if self.attempts == 1:
            raise PySparkException(self._cause)
        return self.attempts


@pytest.mark.parametrize(
    "cause",
    [
        "java.io.FileNotFoundException: File does not exist: /lake/events/metadata/1.avro",
        "java.lang.IllegalArgumentException: arraySize cannot be negative but was: -11",
    ],
)
def test_a_conflict_is_tried_again(cause: str) -> None:
    """Work that another writer or another run of maintenance disturbed is done again."""
    assert retried(Work(cause)) == 2


@pytest.mark.parametrize(
    "cause",
    [
        "java.lang.IllegalArgumentException: no such column",
        "java.io.FileNotFoundException: block (No such file or directory)",
    ],
)
def test_any_other_error_is_not(cause: str) -> None:
    """Work that fails for a reason of its own is not done again."""
    work = Work(cause)
    with pytest.raises(PySparkException):
        retried(work)
    assert work.attempts == 1
