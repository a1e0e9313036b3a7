"""Usual bulk items, which are decoded by types, and the careful way: both write the same records and answers."""

import json
from typing import Any

import orjson
import pytest
from game_api import typed
from game_api.origin import Origin
from game_events import EVENT_TYPES, FREE, EventType, decode
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.unit.game_api.memory_log import MemoryLog, client_of

_TEXT = st.text(max_size=20) | st.sampled_from(["a:b", "Ä", "x" * 65, "Knight", "a\x7f", 'a"b', "\u202e", " a", "a,b"])
_VALUES = (
    _TEXT
    | st.integers(-2, 2**65)
    | st.sampled_from([None, True, 5.0, 10, 0, [], {}, "0190a1b2-0000-7000-a9d7-000000000000", "DE"])
    | st.dictionaries(_TEXT, st.floats() | st.integers() | _TEXT | st.lists(st.dictionaries(_TEXT, _TEXT)), max_size=3)
)
_NAMES = st.sampled_from(
    [
        "event_id",
        "player",
        "strength",
        "guild",
        "target",
        "description",
        "host",
        "received_at",
        "player_name",
        "gold",
        "country",
    ]
)
_USUAL = st.sampled_from(
    [
        {"event_type": "default"},
        {"event_type": "purchase_sword", "strength": 5, "description": "größtes Schwert"},
        {"event_type": "join_guild", "guild": "knights", "player": "a", "event_id": "k"},
        {"event_type": "declare_war", "target": "b:c"},
        {"event_type": "explore", "gold": 5},
        {"event_type": "default", "occurred_at": 1_795_465_200_000, "sequence": 3, "country": "CH", "platform": "web"},
        {"event_type": "default", "properties": {"a": [1, 2.5, {"b:c": None}]}, "experiments": {"sign": "red"}},
    ]
)
_OBJECTS = st.dictionaries(
    _TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats() | _TEXT,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=2,
)
_ITEMS: SearchStrategy[dict[str, Any]] = st.builds(
    lambda usual, more: {**usual, **more},
    _USUAL,
    st.dictionaries(_NAMES, _VALUES, max_size=2)
    | st.dictionaries(st.sampled_from(["properties", "experiments"]), _OBJECTS | _VALUES, max_size=2),
)
_BODIES = st.builds(
    lambda items, ascii_only: json.dumps(items, ensure_ascii=ascii_only, separators=(",", ":")).encode(
        errors="replace"
    ),
    st.lists(_USUAL | _ITEMS, min_size=1, max_size=4),
    st.booleans(),
)
_LOG = MemoryLog()
_CLIENT = client_of(_LOG)
_SENDERS = st.sampled_from(["knight1", "Knight 1", "Kö:nig"])


def written(body: bytes, player: str) -> tuple[list[tuple[bytes, dict[str, Any]]], Any]:
    """Return the records and the response's body, without what differs from request to request."""
    _LOG.records.clear()
    headers = {"Content-Type": "application/json", "X-Player": player.encode().decode("latin-1")}
    answer = _CLIENT.post("/events", data=body, headers=headers)
    body_read = orjson.loads(answer.data) if answer.mimetype == "application/json" else answer.text
    results = body_read.get("results", []) if isinstance(body_read, dict) else []
    events = [(record.key, decode(record.value)) for record in _LOG.records]
    for _, event in events:
        event["received_at"] = 0
        if not event.get("idempotent"):
            event["event_id"] = "made"
    for result in results:
        if result.get("event_id", "")[14:15] == "7":
            result["event_id"] = "made"
    return events, (answer.status_code, body_read)


@given(_BODIES, _SENDERS)
@settings(max_examples=400)
def test_both_ways_are_the_same(body: bytes, player: str) -> None:
    """For any list of items, both ways write the same records and give the same response."""
    usual = written(body, player)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typed, "decode", lambda *_: None)
        assert usual == written(body, player)


@pytest.mark.parametrize("event_type", FREE, ids=lambda event_type: event_type.name)
def test_every_type_has_its_own(event_type: EventType) -> None:
    """An example of each unconditional type needs no second look."""
    item: dict[str, object] = {"event_type": event_type.name, "description": "größtes"}
    for field in event_type.own_fields:
        if field.required:
            item[field.name] = field.minimum if field.kind.noun == "an integer" else "x"
    items = typed.decode(orjson.dumps([item]))
    assert items is not None
    assert type(items[0]).__name__ == event_type.name


@pytest.mark.parametrize(
    "body",
    [
        b'[{"event_type":"default","event_type":"default"}]',
        b'[{"event_type":"default","description":"a","description":"b:c"}]',
        b'[{"event_type":"default","event_id":"0190a1b2-0000-7000-a9d7-000000000000"}]',
        b'[{"event_type":"default","player":"Ada"}]',
        b'[{"event_type":"join_guild","guild":"Knights"}]',
        b'[{"event_type":"default","description":"\\u0041"}]',
        b'[{"event_type":"default","description":"\x7f"}]',
        b'[{"event_type":"default","host":"h"}]',
        b'[{"event_type":"explore"}]',
        b'[{"event_type":"purchase_sword","strength":5.0}]',
        b'[{"event_type":"default","description":null}]',
        b'[{"event_type":"default","description":"\xff"}]',
        b'[{"event_type":"default","properties":{"a":1,"a":2}}]',
        b'[{"event_type":"default","properties":{"a": 1}}]',
        b'[{"event_type":"default","properties":{"a":1e1}}]',
        b'[{"event_type":"default","properties":[]}]',
        b'[{"event_type":"default","properties":null}]',
        b'[{"event_type":"default","experiments":{"a":1}}]',
        b"[]",
        b"{}",
        b"[1]",
        b"[" * 5000,
    ],
)
def test_the_unusual_is_looked_at_with_care(body: bytes) -> None:
    """What may be wrong, or means more than it says, is left to the careful way."""
    items = typed.decode(body)
    assert items is None or typed.records(items, body.count(b":"), Origin("ada", {}, ""), 0) is None


def test_types_are_the_contracts() -> None:
    """Only unconditional actions may be sent in bulk."""
    assert {event_type.name for event_type in FREE} < set(EVENT_TYPES)
    assert typed.decode(b'[{"event_type":"explore","gold":1}]') is None
