"""Writes offsets of the topic as rows of the table, whatever their records contain."""

import logging
from collections.abc import Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from lake import events_writer, topic_reader
from lake.offsets import OffsetRange
from lake.settings import Settings
from lake.termination import root_cause

_log = logging.getLogger(__name__)


def write(rows: DataFrame, settings: Settings, ranges: Sequence[OffsetRange]) -> None:
    """Write rows that Spark's Kafka source reads from these ranges; what it cannot read is read by librdkafka."""
    try:
        events_writer.write(rows, ranges)
    except (PySparkException, Py4JJavaError) as error:
        if not topic_reader.is_needed(error):
            raise
        _log.warning("Spark cannot read a record of %s: %s", " ".join(map(str, ranges)), root_cause(error))
        events_writer.write(topic_reader.rows(rows.sparkSession, settings, ranges), ranges)
