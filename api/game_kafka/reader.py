"""Reads the topic without joining a consumer group: committed records only."""

import time
from collections.abc import Iterable, Iterator
from typing import Self

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.cimpl import KafkaError

from game_kafka.settings import KafkaSettings, Options

_AT_ONCE = 100
"""Records in memory at a time, each of a megabyte at most."""


def consumer_options(settings: KafkaSettings, group: str) -> Options:
    """Return the configuration of a consumer that assigns its partitions itself.

    The client demands a group's name, and the broker's access rules check it, although no group is joined.
    """
    return {
        **settings.client(),
        "group.id": group,
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        # The last offsets need not be records: markers of transactions, aborted and compacted records are not. Only
        # this event shows that a partition has been read up to its end.
        "enable.partition.eof": True,
    }


class TopicReader:
    """Raises KafkaException when the broker refuses, TimeoutError when it sends nothing for `patience` seconds."""

    def __init__(self, settings: KafkaSettings, group: str, patience: float = 30, *, complete: bool = False) -> None:
        """With `complete`, offsets that the topic no longer has, or never gets, are an error."""
        self._name = settings.topic
        self._patience = patience
        self._complete = complete
        self._consumer = Consumer(
            {
                **consumer_options(settings, group),
                "auto.offset.reset": "error" if complete else "earliest",
                "queued.max.messages.kbytes": 16_384,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def partitions(self) -> list[int]:
        """Return the numbers of the topic's partitions now."""
        topic = self._consumer.list_topics(self._name, self._patience).topics[self._name]
        if topic.error:
            raise KafkaException(topic.error)
        return sorted(topic.partitions)

    def window(self, partition: int) -> range:
        """Return the offsets that a partition has now, up to the first open transaction."""
        return range(*self._consumer.get_watermark_offsets(TopicPartition(self._name, partition), self._patience))

    def windows(self) -> dict[int, range]:
        return {partition: self.window(partition) for partition in self.partitions()}

    def offsets_at(self, partitions: Iterable[int], milliseconds: int) -> dict[int, int]:
        """Return each partition's first offset at or after a time; -1 where there is none."""
        wanted = [TopicPartition(self._name, partition, milliseconds) for partition in partitions]
        found = self._consumer.offsets_for_times(wanted, timeout=self._patience)
        for place in found:
            if place.error:
                raise KafkaException(place.error)
        return {place.partition: place.offset for place in found}

    def read(self, partition: int, offsets: range) -> Iterator[list[Message]]:
        """Yield the records at these offsets, some at a time."""
        self._consumer.assign([TopicPartition(self._name, partition, offsets.start)])
        position, heard = offsets.start, time.monotonic()
        while position < offsets.stop:
            # It waits until it has as many as it is asked for.
            messages = self._consumer.consume(min(offsets.stop - position, _AT_ONCE), timeout=1)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > self._patience:
                what = f"offsets {position} to {offsets.stop - 1} of partition {partition}"
                raise TimeoutError(f"{self._name}: Kafka sent nothing of {what} for {self._patience:g} s")
            found, is_at_end = [], False
            for message in messages:
                error, offset = message.error(), message.offset() or 0
                if error and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                # The end of the partition has an offset too: the next record's.
                position, is_at_end = (offset, True) if error else (offset + 1, False)
                if not error and offset in offsets:
                    found.append(message)
            if found:
                yield found
            if is_at_end and not self._complete:
                return
