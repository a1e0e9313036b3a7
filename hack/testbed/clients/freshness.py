"""How far the rows that Trino shows are behind Kafka."""

from datetime import datetime

from confluent_kafka import KafkaException
from game_trino.connection import FAILURES
from lake.settings import EVENTS

from testbed.clients import sql, topic
from testbed.settings import Settings


def freshness(settings: Settings) -> str:
    """Compare the newest row that Trino shows with the newest record, in words."""
    try:
        # In this order, an event that arrives in between makes the row look older, never newer.
        [[row]] = sql.ask(settings, f"SELECT max(kafka_timestamp) FROM {EVENTS}")[1]
        record, _ = topic.newest(settings)
    except (*FAILURES, KafkaException) as error:
        return f"unknown: {str(error).splitlines()[0]}"
    return _described(row, record)


def _described(row: datetime | None, record: int) -> str:
    if record < 0:
        return "no event yet"
    if row is None:
        return "no row yet"
    return f"Trino's newest row is {max(0.0, record / 1000 - row.timestamp()):.1f} s older than Kafka's newest event"
