"""Ranges of offsets: which part of the topic a batch reads."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from lake.settings import GROUPS, Settings

_TIMEOUT = 10
"""Seconds for one answer of the broker."""


class RangeError(ValueError):
    """A range that cannot be read; the message names it."""


@dataclass(frozen=True)
class OffsetRange:
    """Offsets of one partition, from `start` up to but without `end`."""

    partition: int
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.partition}:{self.start}-{self.end}"

    @classmethod
    def parse(cls, text: str) -> "OffsetRange":
        """Read `PARTITION:START-END`."""
        numbers = re.fullmatch(r"(\d+):(\d+)-(\d+)", text)
        if not numbers or int(numbers[2]) > int(numbers[3]):
            raise RangeError(f"offsets: expected PARTITION:START-END with START <= END, got {text!r}")
        return cls(*map(int, numbers.groups()))


class Topic:
    """What the broker says of the topic's offsets."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.topic
        self._client = settings.kafka_client()
        # It joins no group: the name is only demanded by the client.
        joins_none = {"group.id": f"{GROUPS}offsets", "enable.auto.commit": False}
        # So ends are those up to which Spark reads: the last stable offsets.
        self._consumer = Consumer({**self._client, **joins_none, "isolation.level": "read_committed"})

    def identity(self) -> str:
        """The id that the broker gave it when it was made: another topic of the same name has another."""
        admin = AdminClient({**self._client, "log_level": 0})
        try:
            described = admin.describe_topics(TopicCollection([self.name]), request_timeout=_TIMEOUT)
            return str(described[self.name].result().topic_id)
        except KafkaException as error:
            raise RangeError(f"topic {self.name}: {error.args[0].str()}") from error

    def all(self) -> list[OffsetRange]:
        """Every partition, from its earliest offset to its end now."""
        try:
            topic = self._consumer.list_topics(self.name, timeout=_TIMEOUT).topics[self.name]
            if topic.error:
                raise RangeError(f"topic {self.name}: {topic.error.str()}")
            return [
                OffsetRange(
                    partition, *self._consumer.get_watermark_offsets(TopicPartition(self.name, partition), _TIMEOUT)
                )
                for partition in sorted(topic.partitions)
            ]
        except KafkaException as error:
            raise RangeError(f"topic {self.name}: {error.args[0].str()}") from error

    def between(self, start: datetime | None, end: datetime | None) -> list[OffsetRange]:
        """Every partition, from its first record at or after `start` up to its first at or after `end`."""
        ranges = self.all()
        starts, ends = self._at(ranges, start), self._at(ranges, end)
        return [
            OffsetRange(
                r.partition,
                starts.get(r.partition, r.start),
                max(ends.get(r.partition, r.end), starts.get(r.partition, r.start)),
            )
            for r in ranges
        ]

    def exactly(self, chosen: Sequence[OffsetRange]) -> list[OffsetRange]:
        """These ranges, if the topic has them."""
        present = {r.partition: r for r in self.all()}
        for one in chosen:
            there = present.get(one.partition)
            if not there:
                raise RangeError(f"offsets {one}: topic {self.name} has no partition {one.partition}")
            if one.start < there.start or one.end > there.end:
                raise RangeError(f"offsets {one}: partition {one.partition} has {there.start}-{there.end} now")
        if len({one.partition for one in chosen}) < len(chosen):
            raise RangeError("offsets: a partition is given twice")
        return list(chosen)

    def _at(self, ranges: list[OffsetRange], time: datetime | None) -> dict[int, int]:
        if time is None:
            return {}
        wanted = [TopicPartition(self.name, r.partition, int(time.timestamp() * 1000)) for r in ranges]
        try:
            found = self._consumer.offsets_for_times(wanted, timeout=_TIMEOUT)
        except KafkaException as error:
            raise RangeError(f"topic {self.name}: {error.args[0].str()}") from error
        for at in found:
            if at.error:
                raise RangeError(f"topic {self.name}, partition {at.partition}: {at.error.str()}")
        end = {r.partition: r.end for r in ranges}
        # What an open transaction holds back is not read, whatever time it is of.
        return {
            at.partition: min(at.offset if at.offset >= 0 else end[at.partition], end[at.partition]) for at in found
        }


def moment(text: str) -> datetime:
    """Read a time in ISO 8601, UTC unless it says otherwise."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def spark_options(topic: str, ranges: Sequence[OffsetRange]) -> dict[str, str]:
    """The options that make Spark's Kafka source read exactly these ranges."""
    return {
        "assign": json.dumps({topic: [r.partition for r in ranges]}),
        "startingOffsets": json.dumps({topic: {str(r.partition): r.start for r in ranges}}),
        "endingOffsets": json.dumps({topic: {str(r.partition): r.end for r in ranges}}),
    }
