"""The log of librdkafka."""

import logging

import pytest
from game_kafka import log
from game_kafka.log import client_log


def test_a_message_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same message, whatever its duration, is logged again only after half a minute."""
    logged: list[str] = []
    now = 100.0
    monkeypatch.setattr(log.time, "monotonic", lambda: now)
    monkeypatch.setattr(client_log(), "callHandlers", lambda record: logged.append(record.getMessage()))
    for after in range(3):
        client_log().error("a: refused (after %dms)", after)
        client_log().error("b: refused (after %dms)", after)
        now += 10
    assert logged == ["a: refused (after 0ms)", "b: refused (after 0ms)"]
    now += 10
    client_log().error("a: refused (after 7ms)")
    assert logged[2:] == ["a: refused (after 7ms)"]


def test_it_is_a_logger_of_its_own() -> None:
    """Its lines differ from the application's by their module."""
    assert client_log() is logging.getLogger("librdkafka")
