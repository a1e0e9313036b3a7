"""Fill the table `events` with settled rows and with the newest ones, which are undecided, and add up the settled ones.

`dashboard_job.py SETTLED NEWEST`: both are a Filling as JSON.
"""

import json
import sys

from game_events.rollups import LAST_RECORDS
from lake import events_table, rollups
from lake.session import lake_session
from lake.settings import EVENTS, Settings
from pyspark.sql import functions as F  # noqa: N812

from testbed.bench.layouts_job import Filling, synthetic


def main() -> None:
    settled, newest = (Filling(**json.loads(text)) for text in sys.argv[1:])
    settings = Settings.from_environment()
    spark = lake_session("dashboard", settings)
    events_table.create(spark, settings)
    rollups.create(spark, settings.rollups_location)
    decided = synthetic(spark, settled, with_retries=False).withColumn("counts", F.lit(True))
    decided.writeTo(EVENTS).append()
    print(f"added up: {rollups.roll_up(spark)}", flush=True)
    undecided = synthetic(spark, newest).withColumn("kafka_offset", F.col("kafka_offset") + settled.rows)
    last = undecided.groupBy("kafka_partition").agg(F.max("kafka_offset").alias("offset")).collect()
    said = " ".join(f"{row.kafka_partition}:{row.offset}=0" for row in last)
    undecided.writeTo(EVENTS).option(f"snapshot-property.{LAST_RECORDS}", said).append()


if __name__ == "__main__":
    main()
