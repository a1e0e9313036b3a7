"""The last record that the table has of each partition: whether the topic still has that one at its offset.

A log that lost its end and was filled again has other records at the same offsets, under the same topic id.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Message
from game_kafka.reader import TopicReader

from lake.offsets import OffsetRange, kafka_errors
from lake.settings import GROUPS, Settings

_MARKERS = 8
"""Offsets at the end of a range in which its last record is looked for: the last ones may be markers."""
_PATIENCE = 10
"""Seconds without a message from the broker."""


@dataclass(frozen=True)
class LastRecord:
    """An offset, and a digest of the record there: its key, value and time."""

    offset: int
    digest: int

    def __str__(self) -> str:
        return f"{self.offset}={self.digest:08x}"

    @classmethod
    def parse(cls, text: str) -> "LastRecord":
        """Read what `str` wrote."""
        offset, _, digest = text.partition("=")
        return cls(int(offset), int(digest, 16))


class LastRecords:
    """Reads single records with a connection that stays. Raises RangeError when the broker does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.kafka.topic
        self._reader = TopicReader(settings.kafka, f"{GROUPS}last-records", _PATIENCE)

    def of(self, ranges: Iterable[OffsetRange]) -> dict[int, LastRecord]:
        """Return the last record of each range, where there is one near its end."""
        found = {}
        for one in ranges:
            for start, end in ((one.end - 1, one.end), (one.end - _MARKERS, one.end - 1)):
                if record := self._last(one.partition, range(max(one.start, start), end)):
                    found[one.partition] = record
                    break
        return found

    def differing(self, known: Mapping[int, LastRecord]) -> dict[int, LastRecord]:
        """Return those for which the topic has another record at the same offset."""
        differing = {}
        for partition, record in known.items():
            now = self._last(partition, range(record.offset, record.offset + 1))
            if now and now != record:
                differing[partition] = record
        return differing

    def _last(self, partition: int, offsets: range) -> LastRecord | None:
        last = None
        with kafka_errors(self._name):
            for messages in self._reader.read(partition, offsets):
                last = messages[-1]
        return LastRecord(last.offset() or 0, _digest(last)) if last else None


def _digest(message: Message) -> int:
    digest = zlib.crc32(struct.pack(">q", message.timestamp()[1]))
    for part in (message.key(), message.value()):
        digest = zlib.crc32(struct.pack(">q", -1 if part is None else len(part)), digest)
        digest = zlib.crc32(part or b"", digest)
    return digest
