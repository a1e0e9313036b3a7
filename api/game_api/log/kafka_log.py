"""The event log on Kafka: an idempotent producer, and a circuit breaker for when Kafka is unavailable."""

import logging
import os
import signal
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic

from confluent_kafka import KafkaError, KafkaException, Producer
from game_kafka.log import client_log

from game_api.log.budget import Budget
from game_api.log.delivery import Delivery
from game_api.log.event_log import KAFKA_UNAVAILABLE, Outcome, Receipt, Record
from game_api.metrics import set_queue_length
from game_api.settings import Settings
from game_api.trace_context import Headers

_log = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
IDLE_SECONDS = 3.0
"""After this long without an acknowledgement, a probe checks whether Kafka is still available."""

_MOST_LATE = 1.0
"""The most seconds by which a request's own wait is shortened, so that Kafka's report is still awaited."""

_ANSWER_SECONDS = 3e-5
"""What a record costs the event loop that is not acknowledged: the answers to all in flight may be due at once."""

_BUSY = Receipt(Outcome.REFUSED, reason="too many events are in flight to Kafka")


class KafkaLog:
    """Appends to the topic of `settings`. Opens nothing until it is started or used, so that it survives a fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.kafka.topic
        self._answer_timeout = settings.producer.answer_timeout
        self._start_lock = Lock()
        self._producer: Producer | None = None
        self._threads: list[Thread] = []
        self._stopping = Event()
        self._reachable = False
        self._last_ack = 0.0
        self._loop: AbstractEventLoop | None = None
        self._finished: list[Delivery] = []
        self._budget = Budget(settings.producer.queue_messages, 1024 * settings.producer.queue_kbytes)

    def start(self) -> Producer:
        """Open the producer, unless it is open; wait up to a second to learn whether Kafka is available."""
        with self._start_lock:
            if self._producer is None:
                producer = Producer({**self._settings.producer_options(), "error_cb": _on_error}, logger=client_log())
                self._probe(producer, PROBE_SECONDS)
                self._threads = [
                    Thread(target=self._poll, args=(producer,), name="kafka-poll", daemon=True),
                    Thread(target=self._watch, args=(producer,), name="kafka-watch", daemon=True),
                ]
                for thread in self._threads:
                    thread.start()
                self._producer = producer
            return self._producer

    async def append(self, records: Sequence[Record], late: float = 0.0, headers: Headers = ()) -> list[Receipt]:
        producer = self._producer or self.start()
        if not self._reachable:
            return [KAFKA_UNAVAILABLE] * len(records)
        size = sum(len(key) + len(value) for key, value in records)
        if headers:
            size += len(records) * sum(len(name) + len(value) for name, value in headers)
        cost = len(records), size
        if not self._budget.take(*cost):
            return [_BUSY] * len(records)
        self._loop = get_running_loop()
        delivery = Delivery(records, self._open_breaker, partial(self._ended, cost))
        produce, topic, report = producer.produce, self._topic, delivery.report
        if headers:
            produce = partial(produce, headers=list(headers))
        handed = 0
        try:
            for key, value in records:
                produce(topic, value, key, -1, report)
                handed += 1
        except BufferError:
            delivery.refuse_from(handed, "the queue to Kafka is full")
        except KafkaException as error:
            delivery.refuse_from(handed, str(error))
        late += _ANSWER_SECONDS * self._budget.taken
        await self._wait(delivery, self._answer_timeout - min(late, _MOST_LATE))
        receipts = delivery.result()
        if receipts[0].outcome is Outcome.ACKED:
            self._last_ack = monotonic()
        return receipts

    async def _wait(self, delivery: Delivery, timeout: float) -> None:
        """Wait until Kafka has reported on all records, or for so many seconds."""
        loop = get_running_loop()
        delivery.waiter = loop.create_future()
        # A report before this line woke nobody.
        if not delivery.has_ended:
            timer = loop.call_later(timeout, delivery.give_up)
            try:
                await delivery.waiter
            finally:
                timer.cancel()

    def _ended(self, cost: tuple[int, int], delivery: Delivery) -> None:
        """Note that Kafka holds none of these records any more. Called by the poll thread, or within `append`."""
        self._budget.give_back(*cost)
        self._finished.append(delivery)

    def is_reachable(self) -> bool:
        if self._producer is None:
            self.start()
        return self._reachable

    def is_ready(self) -> bool:
        self.start()
        return self._reachable

    def close(self) -> None:
        """Deliver the queued records, within the delivery timeout."""
        if self._producer is None:
            return
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._producer.flush(self._answer_timeout)

    def _open_breaker(self) -> None:
        self._reachable = False

    def _poll(self, producer: Producer) -> None:
        while not self._stopping.is_set():
            try:
                producer.poll(0.1)
            except KafkaException as error:
                # A fatal error. What the producer still holds is reported by later calls.
                _replace_worker(error)
            if self._finished:
                self._wake_finished()

    def _wake_finished(self) -> None:
        """Wake all whose reports came with one poll, by one call into the event loop."""
        finished, self._finished = self._finished, []
        # In a closed loop no request waits.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(_wake, finished)

    def _watch(self, producer: Producer) -> None:
        while not self._stopping.wait(PROBE_SECONDS):
            set_queue_length(len(producer))
            if not self._reachable:
                self._probe(producer, PROBE_SECONDS)
            elif monotonic() - self._last_ack > IDLE_SECONDS:
                self._probe(producer, IDLE_SECONDS)

    def _probe(self, producer: Producer, timeout: float) -> None:
        """Close the breaker if Kafka answers within `timeout` seconds and has the topic; otherwise open it."""
        began = monotonic()
        try:
            topic = producer.list_topics(self._topic, timeout).topics[self._topic]
            self._reachable = topic.error is None and any(part.leader >= 0 for part in topic.partitions.values())
        except KafkaException:
            # Under load an answer may be late while events are still acknowledged.
            self._reachable = self._last_ack > began


def _wake(deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        delivery.wake()


def _on_error(error: KafkaError) -> None:
    """Ignore an error that the client's log names. Only with this callback does `poll` raise the fatal ones."""


def _replace_worker(error: KafkaException) -> None:
    """End this worker after a fatal error, which librdkafka cannot repair: gunicorn starts another, with a producer."""
    _log.error("the producer is lost: %s", error)
    os.kill(os.getpid(), signal.SIGTERM)
