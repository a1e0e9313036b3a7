"""Batch job: the topic becomes rows of `events` (load), and rows become plain Parquet files (export)."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import events_table
import export
import topic_writer
from offsets import OffsetRange, RangeError, Topic, spark_options
from progress import reported
from session import lake_session
from settings import Settings, SettingsError
from transforms import to_events

_RECORDS_PER_TASK = 250_000
"""A partition of the topic may be read by several tasks: there are fewer partitions than cores, or they are long."""


def load(settings: Settings, topic_id: str, ranges: Sequence[OffsetRange]) -> None:
    """Make every offset of these ranges one row of `events`, whatever was there before."""
    started = time.monotonic()
    ranges = [one for one in ranges if one.size]
    print(f"{settings.topic}: offsets {' '.join(map(str, ranges)) or 'none'}", flush=True)
    spark = lake_session("batch-load", settings)
    events_table.create(spark, settings)
    events_table.claim(spark, topic_id)
    if ranges:
        records = (
            spark.read.format("kafka")
            .options(**settings.kafka_source())
            .options(**spark_options(settings.topic, ranges), maxRecordsPerPartition=_RECORDS_PER_TASK)
            .load()
        )
        with reported(spark):
            topic_writer.write(to_events(records), settings, ranges)
    print(f"{sum(one.size for one in ranges)} offsets are rows, {time.monotonic() - started:.1f} s", flush=True)


def _time(text: str) -> datetime:
    time_ = datetime.fromisoformat(text)
    return time_ if time_.tzinfo else time_.replace(tzinfo=UTC)


def _family(name: str) -> str:
    if name not in export.FAMILIES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(export.FAMILIES)}, got {name!r}")
    return name


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="batch.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    loading = commands.add_parser("load", help="read the topic to its end, or a part of it, into the table")
    loading.add_argument(
        "--offsets", nargs="+", metavar="PARTITION:START-END", default=[], help="exactly these, END not included"
    )
    loading.add_argument(
        "--from", dest="start", type=_time, metavar="TIME", help="ISO 8601, UTC unless it says otherwise"
    )
    loading.add_argument("--to", dest="end", type=_time, metavar="TIME", help="without the records of this moment")
    exporting = commands.add_parser("export", help="replace the Parquet directories and their tables in schema export")
    exporting.add_argument(
        "families",
        nargs="*",
        type=_family,
        metavar="FAMILY",
        help=f"of {', '.join(export.FAMILIES)}; all, unless named",
    )
    chosen = parser.parse_args(arguments)
    if chosen.command == "load" and chosen.offsets and (chosen.start or chosen.end):
        parser.error("--offsets: not together with --from or --to")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _arguments(arguments)
    try:
        settings = Settings.from_environment()
        if chosen.command == "export":
            export.export(settings, chosen.families or export.FAMILIES)
        else:
            topic = Topic(settings)
            chosen_ranges = [OffsetRange.parse(text) for text in chosen.offsets]
            ranges = topic.exactly(chosen_ranges) if chosen_ranges else topic.between(chosen.start, chosen.end)
            load(settings, topic.identity(), ranges)
    except (SettingsError, RangeError, events_table.TableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
