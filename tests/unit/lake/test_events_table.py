"""The comments of the table's columns."""

from pathlib import Path

import pytest
from game_events.table import COLUMNS
from lake import events_table
from lake.settings import EVENTS
from pyspark.sql import SparkSession

pytestmark = pytest.mark.timeout(300)


def comments(spark: SparkSession) -> dict[str, str | None]:
    return {column.name: column.metadata.get("comment") for column in spark.table(EVENTS).schema}


def test_comments_follow_the_contract(spark: SparkSession, events: Path) -> None:
    """A missing comment and another one become the contract's; nothing is committed where nothing differs."""
    expected = {column.name: column.doc for column in COLUMNS}
    spark.sql(f"ALTER TABLE {EVENTS} DROP COLUMN gold")
    spark.sql(f"ALTER TABLE {EVENTS} ADD COLUMN gold INT")
    spark.sql(f"ALTER TABLE {EVENTS} ALTER COLUMN player COMMENT 'old'")
    events_table.comment(spark)
    assert comments(spark) == expected
    files = sorted((events / "metadata").iterdir())
    events_table.comment(spark)
    assert sorted((events / "metadata").iterdir()) == files
