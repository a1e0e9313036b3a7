"""Days of the table `events`, by which it is partitioned."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pyspark.sql import SparkSession

from lake.expressions import any_of, between

EPOCH = date(1970, 1, 1)
ONE = timedelta(days=1)

Range = tuple[date, date]
"""The first day, and the first day after the last."""


def ranges(days: Iterable[date]) -> list[Range]:
    """Return the ranges that contain exactly these days, in order."""
    found: list[Range] = []
    for day in sorted(set(days)):
        if found and found[-1][1] == day:
            found[-1] = (found[-1][0], day + ONE)
        else:
            found.append((day, day + ONE))
    return found


def expression(spark: SparkSession, within: Sequence[Range]) -> Any:  # noqa: ANN401 Java's
    """Return Iceberg's filter for the rows of these days, which are at least one range."""
    return any_of(
        spark,
        (between(spark, "received_at", f"{first}T00:00:00+00:00", f"{end}T00:00:00+00:00") for first, end in within),
    )


def start(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime.combine(day, time(), UTC)


def first_kept(today: date, kept: int) -> date:
    """Return the first day that retention keeps, if it keeps so many."""
    return today - timedelta(days=kept)


def of(file: Any) -> date:  # noqa: ANN401 Java's
    """Return the day of a file of the table."""
    return EPOCH + timedelta(days=file.partition().get(0))
