"""For any body of `POST /events`, the response is not a server error and reports what was written."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from werkzeug.test import TestResponse

from tests.unit.game_api.memory_log import MemoryLog, client_of

_TEXT = st.text(st.characters(codec=None), max_size=70)
"""Including lone surrogates."""
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)
_NAMES = st.sampled_from(
    ["\ud800", "event_type", "event_id", "player", "strength", "guild", "target", "description", "host"]
)
_VALID = st.sampled_from(
    [
        {"event_type": "default"},
        {"event_type": "purchase_sword", "strength": 5},
        {"event_type": "join_guild", "guild": "knights", "player": "a", "event_id": "k"},
    ]
)
_ITEMS: SearchStrategy[object] = st.builds(
    lambda valid, more: {**valid, **more}, _VALID, st.dictionaries(_NAMES | _TEXT, _VALUES, max_size=2)
)
_LISTS = st.lists(_ITEMS | _VALID | _VALUES, min_size=1, max_size=5).map(lambda items: json.dumps(items).encode())


_LOG = MemoryLog()
_CLIENT = client_of(_LOG)


def post(body: bytes) -> TestResponse:
    return _CLIENT.post(
        "/events", data=body, headers={"Content-Type": "application/json", "Accept": "application/json"}
    )


def check(body: bytes) -> None:
    before = len(_LOG.records)
    answer = post(body)
    assert answer.status_code < 500, answer.text
    results = orjson.loads(answer.data).get("results", [])
    assert [result["status"] for result in results].count(200) == len(_LOG.records) - before


@given(_LISTS)
@settings(max_examples=300)
def test_any_list(body: bytes) -> None:
    """For any JSON list, the number of 200 results is the number of written records."""
    check(body)


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes(body: bytes) -> None:
    """The same holds for any bytes."""
    check(body)


@pytest.mark.parametrize("item", [{"event_type": "purchase_sword", "strength": 5, "\ud800": 1}, {"\ud800": 1}])
def test_an_unwritable_field_name_is_named(item: dict[str, object]) -> None:
    """A field name that cannot be encoded as UTF-8 is refused in escaped form; other events are written."""
    before = len(_LOG.records)
    answer = post(json.dumps([item, {"event_type": "default"}]).encode())
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json["results"]] == [400, 200]
    assert answer.json["results"][0]["field"] in ("\\ud800", "event_type")
    assert len(_LOG.records) == before + 1


def test_a_long_field_name_is_cut() -> None:
    """An error quotes only the beginning of a client's text."""
    answer = post(json.dumps([{"event_type": "default", "x" * 100_000: 1}]).encode())
    assert answer.status_code == 400
    assert len(answer.data) < 1000
