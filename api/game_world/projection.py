"""The projection: reads the topic, confirms what the world has applied already and applies the rest."""

import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from game_events import EVENT_TYPES, InvalidEventError, decode
from game_events.context import CONTEXT
from game_kafka.log import client_log
from game_kafka.reader import consumer_options
from game_kafka.topic import Topic

from game_world.backfill import Backfill
from game_world.capacity import Capacity
from game_world.events_table import EventsTable, asking
from game_world.keeper import Keeper
from game_world.metrics import Metrics
from game_world.records import records
from game_world.settings import GROUP, Settings
from game_world.snapshots import Snapshots
from game_world.store import Store

_log = logging.getLogger(__name__)

_BATCH = 1000
"""Records that are applied at once."""
_WAIT = 0.1
"""Seconds to wait for records."""
_FED = 5
"""Newest events of a batch that the event feed gets. Nobody reads faster."""
_SLACK = 10.0
"""Seconds by which an event may reach the topic later than the API waits for it."""
_SWEEP = 5.0
_BEHIND = 30.0
"""Seconds by which the world may be behind the topic while a snapshot is taken: reading on comes first."""
_PATIENCE = 60.0
"""Seconds after which a log line about an open transaction is repeated."""

_HIDDEN = {
    *("host", "user_agent", "accept", "schema_version", "idempotent", "event_id"),
    *(field.name for field in CONTEXT),
}
"""Fields that the event feed leaves out."""


@dataclass
class _Batch:
    """What was read from a partition. Not every offset below `next_` has a message."""

    next_: int
    messages: list[Message] = field(default_factory=list)


class Projection:
    def __init__(self, settings: Settings, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._capacity = Capacity(store)
        self._topic = settings.kafka.topic
        self._stamina_seconds = settings.stamina_seconds
        self._late = settings.producer.answer_timeout + _SLACK
        self._kafka = Topic(settings.kafka)
        self._consumer = Consumer(
            {
                **consumer_options(settings.kafka, GROUP),
                "client.id": GROUP,
                "auto.offset.reset": "error",
                # Decided events are applied already: rare fetches are cheaper for the broker and this process.
                "fetch.wait.max.ms": 100,
                "fetch.min.bytes": 65536,
            },
            logger=client_log(),
        )
        snapshots = Snapshots(store, Path(settings.snapshots)) if settings.snapshots else None
        self._keeper = Keeper(store, snapshots, settings.snapshot_seconds)
        table = EventsTable(asking(settings.trino)) if settings.trino.url else None
        self._backfill = Backfill(store, table, self._capacity) if table else None
        self._caught_up = False
        self._swept = 0.0
        self._maintained = 0.0
        self._logged = -_PATIENCE
        self._recent: deque[tuple[float, dict[int, int]]] = deque()

    def run(self, stop: Event) -> None:
        """Read until `stop` is set.

        Raises KafkaException, RedisError, TableError and, if Kafka does not answer, TimeoutError: a new projection then
        continues.
        """
        try:
            self._loop(stop)
        finally:
            self._consumer.close()

    def _loop(self, stop: Event) -> None:
        topic_id, partitions = self._kafka.describe()
        held = {partition: self._held(partition) for partition in partitions}
        self._keeper.claim(topic_id, held)
        self._store.set_stamina(self._stamina_seconds)
        _log.info(f"the world of {self._topic}: from {self._store.positions() or 'the start'}")
        if self._backfill:
            self._backfill.run(topic_id, held, stop)
        if stop.is_set():
            return
        positions = self._seek(topic_id, held)
        while not stop.is_set():
            read = self._read()
            if any(batch.messages for batch in read.values()):
                self._capacity.keep()
            for partition, batch in read.items():
                positions[partition] = self._project(partition, positions[partition], batch)
            if time.monotonic() - self._maintained >= _SWEEP:
                self._maintain(positions)
            if not self._is_due():
                continue
            if self._partitions() != positions.keys():
                _log.info("the number of partitions has changed: starting again")
                return
            if self._settle(positions):
                self._keeper.keep(topic_id)

    def _held(self, partition: int) -> range:
        """Return the offsets that Kafka holds."""
        return range(*self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), 10))

    def _seek(self, topic_id: str, held: Mapping[int, range]) -> dict[int, int]:
        known, starts = self._store.positions(), {}
        for partition, offsets in held.items():
            starts[partition] = max(offsets.start, known.get(partition, 0))
            if known.get(partition, 0) < offsets.start:
                gone = f"offsets {known.get(partition, 0)} to {offsets.start - 1} of partition {partition}"
                source = "neither a snapshot nor the table `events` has" if self._backfill else "no snapshot has"
                _log.error(f"Kafka has dropped {gone}, and {source} them: the world lacks these events")
            self._store.begin_at(topic_id, partition, known.get(partition), starts[partition])
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
        """Apply the batch, and return the offset to continue at."""
        if batch.next_ <= first:
            return first
        values = [message.value() for message in batch.messages]
        made = records(values, self._store.are_pending)
        continued = self._store.project(partition, range(first, batch.next_), made, self._capacity.is_full)
        if continued != batch.next_:
            # Another projection was here, or the store was restored from an earlier state.
            self._consumer.seek(TopicPartition(self._topic, partition, continued))
            return continued
        self._store.feed([shown for shown in map(_shown, values[-_FED:]) if shown])
        return batch.next_

    def _is_due(self) -> bool:
        return not self._caught_up or time.monotonic() - self._swept >= _SWEEP

    def _partitions(self) -> set[int]:
        return set(self._consumer.list_topics(self._topic, 10).topics[self._topic].partitions)

    def _settle(self, positions: dict[int, int]) -> bool:
        """Note that the topic has been read, and revert events that never reached it.

        Return whether the world is up to date.
        """
        self._swept = time.monotonic()
        now = self._store.now()
        ends = self._kafka.ends(positions, committed=False)
        self._recent.append((now, ends))
        self._metrics.behind(positions, ends)
        # An event that was decided before then lies before those ends, if it is in the topic at all.
        read_until = 0.0
        while self._recent and all(positions[number] >= end for number, end in self._recent[0][1].items()):
            read_until, _ = self._recent.popleft()
        if not read_until:
            return False
        if not self._caught_up:
            _log.info("caught up with the topic")
            self._caught_up = True
        self._store.set_caught_up()
        self._metrics.caught_up()
        if lost := [name for name, decided_at in self._store.pending() if decided_at < read_until - self._late]:
            self._store.revert(lost, shared=True)
            self._metrics.reverted(len(lost))
            _log.info(f"{len(lost)} events never reached the topic: reverted")
        return now - read_until <= _BEHIND

    def _maintain(self, positions: dict[int, int]) -> None:
        self._maintained = time.monotonic()
        self._capacity.keep()
        self._capacity.forget_old()
        self._metrics.stored(self._store.count_pending(), *self._store.memory_bytes(), self._capacity.is_full)
        if self._maintained - self._logged >= _PATIENCE:
            self._log_transactions(positions)

    def _log_transactions(self, positions: dict[int, int]) -> None:
        """Log open transactions: until they end, nobody can know which events have happened."""
        stable = self._kafka.ends(positions, committed=True)
        ends = self._kafka.ends(positions, committed=False)
        if held := [partition for partition, end in ends.items() if positions[partition] >= stable[partition] < end]:
            self._logged = self._maintained
            places = ", ".join(f"partition {partition} from offset {stable[partition]}" for partition in held)
            _log.info(f"waiting for an open transaction: {places}")


def _shown(value: bytes | None) -> bytes | None:
    """Return an event as the event feed shows it; None if the record is no event, or a report of an app."""
    try:
        event = decode(value)
    except InvalidEventError:
        return None
    if EVENT_TYPES[event["event_type"]].is_report:
        return None
    return orjson.dumps({name: value for name, value in event.items() if name not in _HIDDEN})
