"""A steady load of the topic: events at a fixed rate, and when the broker acknowledged each."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from confluent_kafka import KafkaError, Message, Producer

from testbed.bench import traffic
from testbed.bench.cost import BenchError
from testbed.bench.pace import Acknowledged
from testbed.settings import Settings

_MANY = 10_000_000
_PATIENCE = 120
"""Seconds for the last acknowledgements; the broker may be restarting."""


class Steady:
    """Writes `rate` events a second, each of them once, also if the broker dies meanwhile."""

    def __init__(self, settings: Settings, rate: int) -> None:
        self._rate = rate
        self._topic = settings.topic
        self._producer = Producer(
            {"bootstrap.servers": settings.bootstrap_servers, "enable.idempotence": True, "log_level": 0}
        )
        self.acknowledged: list[Acknowledged] = []

    def play(self, seconds: float) -> list[Acknowledged]:
        """Write for this long, and return what was acknowledged."""
        stop = threading.Event()
        timer = threading.Timer(seconds, stop.set)
        timer.start()
        try:
            self._write(stop)
        finally:
            timer.cancel()
        return self.acknowledged

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Write while the block lasts."""
        stop = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(self._write, stop)
            try:
                yield
            finally:
                stop.set()
            writing.result()

    def _write(self, stop: threading.Event) -> None:
        began = time.monotonic()
        for number, (key, value) in enumerate(traffic.records(_MANY)):
            while (early := began + number / self._rate - time.monotonic()) > 0 and not stop.is_set():
                self._producer.poll(early)
            if stop.is_set():
                break
            self._producer.produce(self._topic, value, key, on_delivery=self._delivered)
        if self._producer.flush(_PATIENCE):
            raise BenchError(f"Kafka did not acknowledge all events in {_PATIENCE} s")

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error:
            raise BenchError(f"an event was not acknowledged: {error}")
        self.acknowledged.append((message.partition() or 0, message.offset() or 0, time.monotonic()))
