"""The texts of a rejected record: a name is found however it is encoded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lake.erasure.texts import texts


@pytest.mark.parametrize(
    "content",
    [
        b'{"player": "ada"}',
        b'{"player": "\\u0061d\\u0061"}',
        b'{"ada": 1}',
        b'{"player": "bob", "player": "ada"}',
        b'[{"of": ["ada"]}]',
        json.dumps(json.dumps({"player": "ada"})).encode(),
        json.dumps({"event": json.dumps({"raw": json.dumps(["ada"])})}).encode(),
        b'{"player": "ada", ',
        b'{"description": "cut", "player": "ad\\u0061',
        b'"{"player": "\\u0061da"}',
        b"{'player': 'ada'}",
        b'{"number": ' + 5000 * b"9" + b', "player": "ada"}',
        b'{"player": "ada", "nested": ' + 100_000 * b"[",
        b'{"bytes": "\xff", "player": "ada"}',
        b'{\x00"player": "ada"}',
        b'\xef\xbb\xbf{"player": "ada"}',
        '{"player": "ada"}'.encode("utf-16"),
        '{"player": "ada"}'.encode("utf-32-be"),
        b"ada",
    ],
)
def test_a_name_is_found(content: bytes) -> None:
    """In valid JSON with any escapes, in JSON within it, and in what is cut off, damaged or no JSON."""
    assert "ada" in texts(content)


@pytest.mark.parametrize(
    "content", [b'{"player": "adam", "text": "of ada"}', b'{"ada\\u00e9": "\\\\u0061da"}', b"player=ada", b"", b"\xff"]
)
def test_other_text_is_no_name(content: bytes) -> None:
    """A text that merely contains the name is not the name."""
    assert "ada" not in texts(content)


@pytest.mark.parametrize("name", [":", "{", "[]"])
def test_the_punctuation_of_json_is_no_text(name: str) -> None:
    """A player whose name is punctuation has not written every record that was cut off."""
    assert name not in texts(b'{"player": "bob", "list": [], "of": {')


@given(st.binary())
def test_any_bytes(content: bytes) -> None:
    """No record stops an erasure."""
    assert all(isinstance(text, str) for text in texts(content))
