"""The Spark batch that people usually write: from_json into plain Parquet files. batch.py and stream.py run it."""

import json
import os
import sys

from game_events import Kind
from game_events.table import COLUMNS
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

_NOT_IN_JSON = {
    *("counts", "family", "kafka_partition", "kafka_offset", "kafka_timestamp"),
    *("error", "raw_key", "raw_value"),
}


def main() -> None:
    """`plain_job.py FOLDER STARTS ENDS`: offsets by partition, as JSON."""
    folder, starts, ends = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
    spark = SparkSession.builder.appName("plain").config("spark.ui.enabled", "false").getOrCreate()
    if starts == ends:
        return
    topic = os.environ["KAFKA_TOPIC"]
    schema = ", ".join(
        f"{column.name} {'BIGINT' if column.kind is Kind.TIMESTAMP else column.kind.sql_type}"
        for column in COLUMNS
        if column.name not in _NOT_IN_JSON
    )
    records = (
        spark.read.format("kafka")
        .option("kafka.bootstrap.servers", os.environ["KAFKA_BOOTSTRAP_SERVERS"])
        .option("subscribe", topic)
        .option("startingOffsets", json.dumps({topic: starts}))
        .option("endingOffsets", json.dumps({topic: ends}))
        .load()
    )
    event = F.from_json(F.col("value").cast("string"), schema).alias("event")
    records.select(event).select("event.*").write.mode("append").parquet(folder)


if __name__ == "__main__":
    main()
