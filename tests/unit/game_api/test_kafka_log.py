"""The event log on Kafka, whose producer is lost."""

import signal
from threading import Event
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from game_api.log import kafka_log
from game_api.log.kafka_log import KafkaLog
from game_api.settings import Settings


class LostProducer:
    """A producer with a fatal error, as when Kafka does not authorize idempotent writes: only a broker causes one."""

    def __init__(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 as the client's
        self.polls = 0
        self.polled_again = Event()

    def list_topics(self, *_: object) -> None:
        raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    def poll(self, timeout: float) -> int:
        self.polls += 1
        if self.polls == 1:
            raise KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "not authorized", fatal=True))
        self.polled_again.wait(timeout)
        self.polled_again.set()
        return 0

    def flush(self, timeout: float) -> int:
        return 0

    def __len__(self) -> int:
        return 0


def test_a_worker_without_a_producer_is_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a fatal error the worker gets SIGTERM with the cause in its log, and reports what is still in flight."""
    told = Event()
    monkeypatch.setattr(kafka_log, "Producer", LostProducer)
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())
    try:
        log = KafkaLog(Settings.from_environment({}))
        producer: Any = log.start()
        assert told.wait(60)
        assert producer.polled_again.wait(60)
        log.close()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "the producer is lost" in caplog.text
    assert "not authorized" in caplog.text
