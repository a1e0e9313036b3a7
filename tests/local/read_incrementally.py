"""Prints the place of each row that was appended to `events` since a snapshot, as incremental readers get them."""

import sys

from lake.session import lake_session
from lake.settings import EVENTS, start

rows = (
    lake_session("read-incrementally", start())
    .read.format("iceberg")
    .option("start-snapshot-id", sys.argv[1])
    .load(EVENTS)
)
for row in rows.select("kafka_partition", "kafka_offset").collect():
    print("row", *row)
