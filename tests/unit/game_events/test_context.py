"""The context of events: what its fields accept, and when an event happened."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from game_events import InvalidEventError, decode, encode
from game_events.context import LATE_DAYS, OCCURRED_AT

SWORD = {
    "event_id": "k1",
    "event_type": "purchase_sword",
    "schema_version": 1,
    "received_at": 1_795_465_202_000,
    "player": "knight1",
    "strength": 3,
}
CONTEXT: dict[str, Any] = {
    "occurred_at": 1_795_465_200_000,
    "sent_at": 1_795_465_201_000,
    "sequence": 0,
    "session_id": "s1",
    "device_id": "d1",
    "platform": "web",
    "app_version": "1.2.3",
    "country": "CH",
    "experiments": {"sign": "red"},
    "properties": {"a": [1, 2.5, None, {"b": True}], "ü": "text"},
}
RECEIVED = datetime(2026, 11, 23, 12, tzinfo=UTC)


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels > 1 else {"a": 1}


def test_a_record_keeps_its_context() -> None:
    """What a client says about an event is in the record as it was given."""
    assert decode(encode(SWORD | CONTEXT)) == SWORD | CONTEXT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("occurred_at", -1),
        ("occurred_at", 1.5),
        ("sent_at", 10**16),
        ("sequence", -1),
        ("sequence", 2**31),
        ("session_id", ""),
        ("device_id", "d" * 129),
        ("platform", "a\nb"),
        ("country", "ch"),
        ("country", "CHE"),
        ("country", "C\n"),
        ("experiments", []),
        ("experiments", {"sign": 1}),
        ("experiments", {"sign": "a\u0000"}),
        ("experiments", {"sign": "x" * 1024}),
        ("properties", "text"),
        ("properties", {"a\u0000": 1}),
        ("properties", {"a": "x" * 8192}),
        ("properties", {"a": 10**18 + 1}),
        ("properties", {"a": float("nan")}),
        ("properties", nested(6)),
    ],
)
def test_an_invalid_context_is_refused(field: str, value: object) -> None:
    """The error names the field."""
    with pytest.raises(InvalidEventError) as refusal:
        decode(encode(SWORD | {field: value}))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("experiments", {}),
        ("properties", nested(5)),
        ("properties", {"a": -(10**18)}),
        ("properties", {"a": "x" * (8192 - len('{"a":""}'))}),
        ("sequence", 2**31 - 1),
    ],
)
def test_the_limits_are_allowed(field: str, value: object) -> None:
    """A value at a limit is valid."""
    assert decode(encode(SWORD | {field: value}))[field] == value


@pytest.mark.parametrize(
    ("occurred", "sent", "seconds"),
    [
        (None, None, 0),
        (None, -5, 0),
        (-10, None, -10),
        # The client's clock is an hour ahead or behind.
        (3600 - 10, 3600, -10),
        (-3600 - 10, -3600, -10),
        # An event of the future, and one too old.
        (10, None, 0),
        (-91 * 86_400, None, -LATE_DAYS * 86_400),
    ],
)
def test_when_an_event_happened(occurred: int | None, sent: int | None, seconds: int) -> None:
    """It is the client's time corrected by its clock's offset, at most 90 days before the reception and never after."""
    times = [None if one is None else RECEIVED + timedelta(seconds=one) for one in (occurred, sent)]
    query = (
        f"SELECT {OCCURRED_AT} FROM (SELECT $1::timestamptz AS received_at, $2::timestamptz AS occurred_at, "
        "$3::timestamptz AS sent_at)"
    )
    [(found,)] = duckdb.execute(query, [RECEIVED, *times]).fetchall()
    assert found == RECEIVED + timedelta(seconds=seconds)
