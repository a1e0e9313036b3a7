"""What a table has of the topic: each record once, or not."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from game_kafka.reader import TopicReader

from testbed.bench.sql import connect
from testbed.settings import Settings

Places = dict[tuple[int, int], str]
"""The event's id by partition and offset."""

_CHUNK = 100_000
"""Offsets held in memory at a time."""


@dataclass(frozen=True)
class Exactness:
    """Records without a row, rows too many, and rows of another event than the record's."""

    lost: int
    doubled: int
    differing: int

    def __add__(self, other: "Exactness") -> "Exactness":
        return Exactness(self.lost + other.lost, self.doubled + other.doubled, self.differing + other.differing)

    def __sub__(self, before: "Exactness") -> "Exactness":
        return Exactness(self.lost - before.lost, self.doubled - before.doubled, self.differing - before.differing)

    def __str__(self) -> str:
        return f"{self.lost:,} lost, {self.doubled:,} doubled, {self.differing:,} differing"


def exactness(settings: Settings, table: str, windows: Mapping[int, range]) -> Exactness:
    """Compare a table with Kafka at these offsets, by the place of each row and its event's id."""
    found = Exactness(0, 0, 0)
    with TopicReader(settings.kafka, "local") as reader, connect(settings) as trino:
        for partition, window in windows.items():
            for start in range(window.start, window.stop, _CHUNK):
                chunk = range(start, min(start + _CHUNK, window.stop))
                query = (
                    f"SELECT kafka_partition, kafka_offset, event_id FROM {table} WHERE kafka_partition = {partition} "
                    f"AND kafka_offset >= {chunk.start} AND kafka_offset < {chunk.stop}"
                )
                rows = [(partition, offset, event) for partition, offset, event in trino.run(query).rows]
                found += compared(_records(reader, partition, chunk), rows)
    return found


def compared(records: Places, rows: list[tuple[int, int, str]]) -> Exactness:
    """Compare records with rows, which are partitions, offsets and ids."""
    times = Counter((partition, offset) for partition, offset, _ in rows)
    return Exactness(
        lost=sum(place not in times for place in records),
        doubled=sum(times.values()) - len(times),
        differing=len(
            {(partition, offset) for partition, offset, event in rows if records.get((partition, offset)) != event}
        ),
    )


def _records(reader: TopicReader, partition: int, offsets: range) -> Places:
    return {
        (partition, message.offset() or 0): json.loads(message.value() or b"")["event_id"]
        for messages in reader.read(partition, offsets)
        for message in messages
    }
