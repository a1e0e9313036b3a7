"""What an erasure says about Kafka, which it does not change."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from lake.erasure import remarks
from lake.settings import Settings

SETTINGS = cast(Settings, SimpleNamespace(kafka=SimpleNamespace(topic="events")))


def said(monkeypatch: pytest.MonkeyPatch, kept: timedelta | Exception | None) -> str:
    """Return the line about the topic, whose retention is `kept` or cannot be read."""

    def retention() -> timedelta | None:
        if isinstance(kept, Exception):
            raise kept
        return kept

    monkeypatch.setattr(remarks, "Topic", lambda _: SimpleNamespace(retention=retention))
    [line] = [line for line in remarks.remarks(SETTINGS).splitlines() if "Kafka" in line]
    return line


def test_until_when_kafka_keeps_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The retention counts from now, because the newest record may be of this moment."""
    day = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m}"
    assert f"the players' records until {day}" in (line := said(monkeypatch, timedelta(days=7)))
    assert "(its retention is 7 days)" in line


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (None, "forever: its retention is unlimited"),
        (KafkaException(KafkaError(29)), "until its retention deletes them (which could not be read: "),
        (TimeoutError(), "until its retention deletes them (which could not be read: "),
    ],
)
def test_an_unknown_or_unlimited_retention(
    monkeypatch: pytest.MonkeyPatch, kept: timedelta | Exception | None, words: str
) -> None:
    """A topic without a limit keeps them forever; without the right to read its retention the job says so."""
    assert f"it keeps the players' records {words}" in said(monkeypatch, kept)
