"""Offsets of the topic become rows of the table, whatever their records hold."""

from collections.abc import Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from lake import events_writer, topic_reader
from lake.offsets import OffsetRange
from lake.settings import Settings
from lake.termination import root_cause


def write(rows: DataFrame, settings: Settings, ranges: Sequence[OffsetRange]) -> None:
    """Write rows, which Spark's Kafka source reads of these ranges; where it cannot, read them in another way."""
    try:
        events_writer.write(rows, ranges)
    except (PySparkException, Py4JJavaError) as error:
        if not topic_reader.is_needed(error):
            raise
        print(f"Spark cannot read a record of {' '.join(map(str, ranges))}: {root_cause(error)}", flush=True)
        events_writer.write(topic_reader.rows(rows.sparkSession, settings, ranges), ranges)
