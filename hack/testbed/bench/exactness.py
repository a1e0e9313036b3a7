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


@dataclass(frozen=True)
class Exactness:
    """Records without a row, rows too many, and rows of another event than the record's."""

    lost: int
    doubled: int
    differing: int

    def __sub__(self, before: "Exactness") -> "Exactness":
        return Exactness(self.lost - before.lost, self.doubled - before.doubled, self.differing - before.differing)

    def __str__(self) -> str:
        return f"{self.lost:,} lost, {self.doubled:,} doubled, {self.differing:,} differing"


def exactness(settings: Settings, table: str, windows: Mapping[int, range]) -> Exactness:
    """Compare a table with Kafka at these offsets, by the place of each row and its event's id."""
    inside = " OR ".join(
        f"kafka_partition = {partition} AND kafka_offset >= {offsets.start} AND kafka_offset < {offsets.stop}"
        for partition, offsets in windows.items()
    )
    with connect(settings) as trino:
        rows = trino.run(f"SELECT kafka_partition, kafka_offset, event_id FROM {table} WHERE {inside}").rows
    return compared(_records(settings, windows), [(partition, offset, event) for partition, offset, event in rows])


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


def _records(settings: Settings, windows: Mapping[int, range]) -> Places:
    with TopicReader(settings.kafka, "local") as reader:
        return {
            (partition, message.offset() or 0): json.loads(message.value() or b"")["event_id"]
            for partition, offsets in windows.items()
            for messages in reader.read(partition, offsets)
            for message in messages
        }
