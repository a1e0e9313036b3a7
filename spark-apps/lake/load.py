"""The batch load of ranges of offsets into `events`."""

import time
from collections.abc import Sequence

from lake import events_table, topic_writer
from lake.offsets import OffsetRange, spark_options
from lake.progress import reported
from lake.session import lake_session
from lake.settings import Settings
from lake.transforms import to_events

_RECORDS_PER_TASK = 250_000
"""Several tasks may read one partition of the topic: there may be fewer partitions than cores."""


def load(settings: Settings, topic_id: str, ranges: Sequence[OffsetRange]) -> None:
    """Make every offset of these ranges one row of `events`, whether or not it was loaded before."""
    started = time.monotonic()
    ranges = [one for one in ranges if one.size]
    print(f"{settings.kafka.topic}: offsets {' '.join(map(str, ranges)) or 'none'}", flush=True)
    spark = lake_session("batch-load", settings)
    events_table.create(spark, settings)
    events_table.claim(spark, topic_id)
    if ranges:
        records = (
            spark.read.format("kafka")
            .options(**settings.kafka_source())
            .options(**spark_options(settings.kafka.topic, ranges), maxRecordsPerPartition=_RECORDS_PER_TASK)
            .load()
        )
        with reported(spark):
            topic_writer.write(to_events(records), settings, ranges)
    print(f"{sum(one.size for one in ranges)} offsets are rows, {time.monotonic() - started:.1f} s", flush=True)
