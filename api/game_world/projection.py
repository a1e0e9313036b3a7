"""The projection: reads the topic and brings into the world what is not there yet."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from game_events import InvalidEventError, decode
from game_kafka.log import client_log
from game_kafka.reader import consumer_options
from game_kafka.topic import Topic

from game_world.records import records
from game_world.room import Room
from game_world.settings import GROUP, Settings
from game_world.store import Store

_BATCH = 1000
"""Records that are brought in at once."""
_WAIT = 0.1
"""Seconds for which records are awaited."""
_TOLD = 5
"""Of a batch, events that the feed gets: the newest. Nobody reads faster."""
_SLACK = 10.0
"""Seconds by which an event may come into the topic later than the API waits for it."""
_SWEEP = 5.0
_PATIENCE = 60.0
"""Seconds after which it is said again what the world waits for."""

_HIDDEN = ("host", "user_agent", "accept", "schema_version", "idempotent", "event_id")
"""What the feed does not show of an event."""


@dataclass
class _Batch:
    """What was read of a partition. Not every offset up to `next_` has a message."""

    next_: int
    messages: list[Message] = field(default_factory=list)


class Projection:
    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._room = Room(store)
        self._topic = settings.kafka.topic
        self._late = settings.producer.answer_timeout + _SLACK
        self._described = Topic(settings.kafka)
        self._consumer = Consumer(
            {
                **consumer_options(settings.kafka, GROUP),
                "client.id": GROUP,
                "auto.offset.reset": "error",
                # What is decided is in the world already: to fetch it seldom costs the broker and this process less.
                "fetch.wait.max.ms": 100,
                "fetch.min.bytes": 65536,
            },
            logger=client_log(),
        )
        self._caught_up = False
        self._swept = 0.0
        self._cared = 0.0
        self._complained = -_PATIENCE
        self._recent: deque[tuple[float, dict[int, int]]] = deque()

    def run(self, told: Event) -> None:
        """Read until told to end.

        Raises KafkaException, RedisError and, when Kafka does not answer, TimeoutError: a new one goes on where it was.
        """
        try:
            self._read_on(told)
        finally:
            self._consumer.close()

    def _read_on(self, told: Event) -> None:
        partitions = self._claim()
        print(f"the world of {self._topic}: from {self._store.positions() or 'the start'}", flush=True)
        positions = self._seek(partitions)
        while not told.is_set():
            read = self._read()
            if any(batch.messages for batch in read.values()):
                self._room.keep()
            for partition, batch in read.items():
                positions[partition] = self._project(partition, positions[partition], batch)
            if time.monotonic() - self._cared >= _SWEEP:
                self._care(positions)
            if not self._is_due():
                continue
            if self._partitions() != positions.keys():
                print("the topic has other partitions now", flush=True)
                return
            self._settle(positions)

    def _claim(self) -> list[int]:
        topic_id, partitions = self._described.describe()
        if self._store.claim(topic_id):
            print(f"a new world of topic {topic_id}", flush=True)
        return partitions

    def _seek(self, partitions: Sequence[int]) -> dict[int, int]:
        known, starts = self._store.positions(), {}
        for partition in partitions:
            low, _ = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), 10)
            starts[partition] = max(low, known.get(partition, low))
            if known.get(partition, low) < low:
                gone = f"offsets {known[partition]} to {low - 1} of partition {partition}"
                print(f"warning: Kafka has dropped {gone} before the world has seen them", flush=True)
            self._store.begin_at(partition, starts[partition])
        self._consumer.assign([TopicPartition(self._topic, number, start) for number, start in starts.items()])
        return starts

    def _read(self) -> dict[int, _Batch]:
        read: dict[int, _Batch] = {}
        for message in self._consumer.consume(_BATCH, _WAIT):
            error, offset = message.error(), message.offset() or 0
            is_end = error is not None and error.code() == KafkaError._PARTITION_EOF
            if error and not is_end:
                if error.code() == KafkaError._ALL_BROKERS_DOWN or error.retriable():
                    continue
                raise KafkaException(error)
            batch = read.setdefault(message.partition() or 0, _Batch(offset))
            if is_end:
                batch.next_ = offset
            else:
                batch.next_ = offset + 1
                batch.messages.append(message)
        return read

    def _project(self, partition: int, first: int, batch: _Batch) -> int:
        """Bring them in, and return the offset to go on at."""
        if batch.next_ <= first:
            return first
        values = [message.value() for message in batch.messages]
        made = records(values, self._store.are_pending)
        went_on = self._store.project(partition, range(first, batch.next_), made, self._room.is_full)
        if went_on != batch.next_:
            # Another projection was here; or the store is an older one of itself.
            self._consumer.seek(TopicPartition(self._topic, partition, went_on))
            return went_on
        self._store.tell([shown for shown in map(_shown, values[-_TOLD:]) if shown])
        return batch.next_

    def _is_due(self) -> bool:
        return not self._caught_up or time.monotonic() - self._swept >= _SWEEP

    def _partitions(self) -> set[int]:
        return set(self._consumer.list_topics(self._topic, 10).topics[self._topic].partitions)

    def _settle(self, positions: dict[int, int]) -> None:
        """Note that all has been read, and take back what never came into the topic."""
        self._swept = time.monotonic()
        now = self._store.now()
        self._recent.append((now, self._described.ends(positions, committed=False)))
        # All that was decided before then is in the topic before those ends, if it is at all.
        reached = 0.0
        while self._recent and all(positions[number] >= end for number, end in self._recent[0][1].items()):
            reached, _ = self._recent.popleft()
        if not reached:
            return
        if not self._caught_up:
            print("caught up with the topic", flush=True)
            self._caught_up = True
        self._store.set_caught_up()
        if lost := [name for name, decided_at in self._store.pending() if decided_at < reached - self._late]:
            self._store.revert(lost, shared=True)
            print(f"{len(lost)} events never came into the topic: taken back", flush=True)

    def _care(self, positions: dict[int, int]) -> None:
        self._cared = time.monotonic()
        self._room.keep()
        self._room.forget_old()
        if self._cared - self._complained >= _PATIENCE:
            self._tell_of_transactions(positions)

    def _tell_of_transactions(self, positions: dict[int, int]) -> None:
        """Say so when what was written is not to be read yet: until then nobody can know what has happened."""
        stable = self._described.ends(positions, committed=True)
        ends = self._described.ends(positions, committed=False)
        if held := [partition for partition, end in ends.items() if positions[partition] >= stable[partition] < end]:
            self._complained = self._cared
            places = ", ".join(f"partition {partition} from offset {stable[partition]}" for partition in held)
            print(f"waiting for an open transaction: {places}", flush=True)


def _shown(value: bytes | None) -> bytes | None:
    """Return what the feed shows of an event; None of a record that is none."""
    try:
        event = decode(value)
    except InvalidEventError:
        return None
    return orjson.dumps({name: value for name, value in event.items() if name not in _HIDDEN})
