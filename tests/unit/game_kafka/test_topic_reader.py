"""The reader of the topic, on a consumer of which the broker's answers are given."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.cimpl import KafkaError
from game_kafka import reader as module
from game_kafka.reader import TopicReader
from game_kafka.settings import KafkaSettings


class Message:
    def __init__(self, offset: int, code: int | None = None) -> None:
        self._offset, self._code = offset, code

    def error(self) -> KafkaError | None:
        return None if self._code is None else KafkaError(self._code)

    def offset(self) -> int:
        return self._offset


def end(offset: int) -> Message:
    """Make the event that a partition has been read up to its end."""
    return Message(offset, KafkaError._PARTITION_EOF)


class Consumer:
    """Answers with these messages, and then with nothing; each silent answer takes a second."""

    answers: Iterator[list[Message]]
    now = 0.0

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def assign(self, places: list[Any]) -> None:
        self.start = places[0].offset

    def consume(self, number: int, timeout: float) -> list[Message]:
        answer = next(self.answers, [])
        assert len(answer) <= number
        if not answer:
            Consumer.now += timeout
        return answer

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Consumer", Consumer)
    monkeypatch.setattr(module.time, "monotonic", lambda: Consumer.now)


def read(offsets: range, *answers: list[Message], complete: bool = False) -> list[int]:
    """Return the offsets that are read."""
    Consumer.answers = iter(answers)
    with TopicReader(KafkaSettings(), "readers", patience=3, complete=complete) as reader:
        return [message.offset() for messages in reader.read(0, offsets) for message in messages]


def test_records_outside_the_range_are_left_out() -> None:
    """A gap may end beyond the range; what lies there is not part of it."""
    assert read(range(2, 5), [Message(2), Message(3)], [Message(7)]) == [2, 3]


def test_the_end_of_the_partition_accounts_for_what_is_no_record() -> None:
    """The last offsets may be markers of transactions: the end of the partition shows that they have been read."""
    assert read(range(3), [Message(0)], [end(3)]) == [0]
    assert read(range(3), [Message(0)], [end(3)], complete=True) == [0]


def test_an_early_end() -> None:
    """A partition that ends before the range does ends the reading, unless all its offsets are required."""
    assert read(range(9), [Message(0), end(1)]) == [0]
    with pytest.raises(TimeoutError, match=r"^events: Kafka sent nothing of offsets 1 to 8 of partition 0 for 3 s$"):
        read(range(9), [Message(0), end(1)], complete=True)
    assert read(range(3), [Message(0), end(1)], [], [Message(1), Message(2)], complete=True) == [0, 1, 2]


def test_silence_ends_the_reading() -> None:
    """A broker that sends nothing is waited for, but not forever."""
    assert read(range(2), [Message(0)], [], [], [], [Message(1)]) == [0, 1]
    with pytest.raises(TimeoutError):
        read(range(2), [Message(0)])


def test_an_error_is_raised() -> None:
    with pytest.raises(KafkaException):
        read(range(2), [Message(0), Message(1, KafkaError.TOPIC_AUTHORIZATION_FAILED)])


def test_offsets_that_are_gone() -> None:
    """Offsets that Kafka has deleted are skipped, unless all are required."""
    assert TopicReader(KafkaSettings(), "a")._consumer.options["auto.offset.reset"] == "earliest"
    assert TopicReader(KafkaSettings(), "a", complete=True)._consumer.options["auto.offset.reset"] == "error"
