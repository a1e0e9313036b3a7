"""Ranges of offsets: the part of the topic that a batch reads."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import KafkaException
from game_kafka import topic as kafka_topic
from game_kafka.reader import TopicReader

from lake.settings import GROUPS, Settings

_TIMEOUT = 10
"""Seconds the broker has for one answer."""


class RangeError(ValueError):
    """A range that cannot be read; the message names it."""


class UnavailableError(RangeError):
    """The broker does not answer, or refuses."""


@dataclass(frozen=True)
class OffsetRange:
    """Offsets of one partition, from `start` up to, but excluding, `end`."""

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
    """The offsets that the broker has of the topic. Raises UnavailableError when it does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.kafka.topic
        self._described = kafka_topic.Topic(settings.kafka, _TIMEOUT)
        # Its ends are those up to which Spark reads: the first open transactions.
        self._reader = TopicReader(settings.kafka, f"{GROUPS}offsets", _TIMEOUT)

    def identity(self) -> str:
        """Return the topic's id: a topic that is recreated under the same name gets another."""
        with kafka_errors(self.name):
            return self._described.describe().id

    def all(self) -> list[OffsetRange]:
        """Return every partition, from its earliest offset to its current end."""
        with kafka_errors(self.name):
            windows = self._reader.windows()
        return [OffsetRange(partition, window.start, window.stop) for partition, window in windows.items()]

    def between(self, start: datetime | None, end: datetime | None) -> list[OffsetRange]:
        """Return every partition, from its first record at or after `start` up to its first at or after `end`."""
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
        """Return these ranges, or raise RangeError if the topic does not have them."""
        present = {r.partition: r for r in self.all()}
        for one in chosen:
            whole = present.get(one.partition)
            if not whole:
                raise RangeError(f"offsets {one}: topic {self.name} has no partition {one.partition}")
            if one.start < whole.start or one.end > whole.end:
                raise RangeError(f"offsets {one}: partition {one.partition} has {whole.start}-{whole.end} now")
        if len({one.partition for one in chosen}) < len(chosen):
            raise RangeError("offsets: a partition is given twice")
        return list(chosen)

    def _at(self, ranges: list[OffsetRange], time: datetime | None) -> dict[int, int]:
        if time is None:
            return {}
        end = {r.partition: r.end for r in ranges}
        with kafka_errors(self.name):
            found = self._reader.offsets_at(end, int(time.timestamp() * 1000))
        # Records after an open transaction are not read, whatever their time.
        return {
            partition: min(offset, end[partition]) if offset >= 0 else end[partition]
            for partition, offset in found.items()
        }


@contextmanager
def kafka_errors(topic: str) -> Iterator[None]:
    """Raise what goes wrong with the broker as UnavailableError."""
    try:
        yield
    except KafkaException as error:
        raise UnavailableError(f"topic {topic}: {error.args[0].str()}") from error
    except TimeoutError as error:
        raise UnavailableError(str(error)) from error


def moment(text: str) -> datetime:
    """Parse a time in ISO 8601, in UTC if it has no offset."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def limited(ranges: Sequence[OffsetRange], most: int) -> list[OffsetRange]:
    """Return the beginnings of these ranges, in proportion to their sizes, with about `most` offsets in all."""
    total = sum(one.size for one in ranges)
    if total <= most:
        return list(ranges)
    shares = [(one, max(1, one.size * most // total)) for one in ranges if one.size]
    return [OffsetRange(one.partition, one.start, one.start + share) for one, share in shares]


def spark_options(topic: str, ranges: Sequence[OffsetRange]) -> dict[str, str]:
    """Return the options with which Spark's Kafka source reads exactly these ranges."""
    return {
        "assign": json.dumps({topic: [r.partition for r in ranges]}),
        "startingOffsets": json.dumps({topic: {str(r.partition): r.start for r in ranges}}),
        "endingOffsets": json.dumps({topic: {str(r.partition): r.end for r in ranges}}),
    }
