"""The table's properties, and the comments of its columns."""

from pathlib import Path

from game_events.table import COLUMNS
from lake import events_table
from lake.settings import EVENTS, JobKafkaSettings, Settings
from pyspark.sql import SparkSession

SETTINGS = Settings(JobKafkaSettings("kafka:9092", "events"), "thrift://m:1", "trino", 1)


def comments(spark: SparkSession) -> dict[str, str | None]:
    return {column.name: column.metadata.get("comment") for column in spark.table(EVENTS).schema}


def test_metadata_is_compressed(spark: SparkSession, events: Path) -> None:
    """Each commit writes compressed metadata."""
    spark.sql(f"INSERT INTO {EVENTS} (family, received_at, kafka_partition) VALUES ('joins', now(), 0)")
    newest = max((events / "metadata").glob("*.metadata.json"), key=lambda path: path.stat().st_mtime)
    assert newest.name.endswith(".gz.metadata.json")


def test_a_table_of_an_older_version_gets_new_properties(spark: SparkSession, events: Path) -> None:
    """A property that later versions added is set once."""
    spark.sql(f"ALTER TABLE {EVENTS} UNSET TBLPROPERTIES ('write.metadata.compression-codec')")
    for _ in range(2):
        events_table.create(spark, SETTINGS)
        files = {*(events / "metadata").iterdir()}
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {EVENTS}").collect()}
    assert properties["write.metadata.compression-codec"] == "gzip"
    events_table.create(spark, SETTINGS)
    assert {*(events / "metadata").iterdir()} == files


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
