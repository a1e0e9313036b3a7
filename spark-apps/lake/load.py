"""The batch load of ranges of offsets into `events`, in chunks that are committed one by one."""

import time
from collections.abc import Sequence

from lake.loader import Loader
from lake.offsets import OffsetRange, Topic
from lake.progress import reported
from lake.session import lake_session
from lake.settings import Settings

CHUNK = 10_000_000
"""Offsets of one commit."""


def load(settings: Settings, topic: Topic, ranges: Sequence[OffsetRange] | None, chunk: int = CHUNK) -> None:
    """Make every offset of these ranges one row of `events`, unless it is one; by default of the whole topic.

    A run that fails keeps the chunks that it has committed, and the next run goes on from there. The end is that at the
    start.
    """
    started = time.monotonic()
    wanted = [one for one in (topic.all() if ranges is None else ranges) if one.size]
    print(f"{settings.kafka.topic}: offsets {' '.join(map(str, wanted)) or 'none'}", flush=True)
    spark = lake_session("batch-load", settings)
    loader = Loader(spark, settings, topic)
    loader.begin()
    rows = 0
    with reported(spark):
        while wanted and (batch := loader.load(chunk, wanted, accepts_gaps=ranges is not None)):
            rows += batch.rows
            seconds = sum(batch.seconds.values())
            print(f"{' '.join(map(str, batch.ranges))}: {batch.rows} rows committed, {seconds:.1f} s", flush=True)
    covered, took = sum(one.size for one in wanted), time.monotonic() - started
    print(f"{covered} offsets are rows, {rows} of them new, {took:.1f} s", flush=True)


def give_up(settings: Settings, topic: Topic, ranges: Sequence[OffsetRange]) -> None:
    """Record that these offsets, which Kafka no longer has, are not missing: the stream goes on without them."""
    loader = Loader(lake_session("batch-skip", settings), settings, topic)
    loader.begin()
    loader.give_up(ranges)
    print(f"{' '.join(map(str, ranges))}: given up", flush=True)
