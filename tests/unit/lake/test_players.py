"""Players, as rows and records name them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lake.erasure.players import Players

PLAYERS = Players(("Ada", "jürgen.example", "a very long name of a knight"))


@pytest.mark.parametrize("text", ["ada", "ADA", "\uff41da", " ada ", "JÜRGEN.example", "ju\u0308rgen.example"])
def test_every_spelling_is_the_name(text: str) -> None:
    """Spellings with the same normal form name the player."""
    assert PLAYERS.is_named(text)


@pytest.mark.parametrize("text", ["adam", "a da", "", None, "ada:5000"])
def test_other_names(text: str | None) -> None:
    """Another name, or none, is not the player's."""
    assert not PLAYERS.is_named(text)


@pytest.mark.parametrize(
    "host",
    [
        "ada",
        "Ada:5000",
        "ada.",
        "ada.:80",
        "jürgen.example:80",
        "xn--jrgen-kva.example",
        "XN--JRGEN-kva.example.:5000",
        "jürgen。example",
    ],
)
def test_a_host_is_the_players(host: str) -> None:
    """A Host header means the player also with a port, a final dot, or in Punycode."""
    assert PLAYERS.is_host(host)


@pytest.mark.parametrize("host", ["ada.example", "127.0.0.1:5000", "xn--\u00fc", "xn--.example", "", None])
def test_other_hosts(host: str | None) -> None:
    """Other hosts, also invalid ones, are nobody's."""
    assert not PLAYERS.is_host(host)


@given(st.text())
def test_any_host(host: str) -> None:
    """No Host header stops an erasure."""
    assert PLAYERS.is_host(host) in (True, False)


def test_records() -> None:
    """A rejected record is the player's by its key, or by a string of its JSON in any spelling."""
    assert PLAYERS.are_in_record(b"ada", None)
    assert PLAYERS.are_in_record(None, b'{"player": "\\u0041DA"}')
    assert PLAYERS.are_in_record(None, json.dumps({"host": "ada:5000"}).encode())
    assert not PLAYERS.are_in_record(b"bob", b'{"text": "about ada"}')
    assert not PLAYERS.are_in_record(None, None)


@pytest.mark.parametrize(
    "text", ["ada", "ADA", "a very long name", "a very long namf", "A very long name", "Ada:5000", "ada:", "ada."]
)
def test_a_name_may_be_a_bound(text: str) -> None:
    """Bounds of a column are names in any spelling, whole or cut off, an upper one with its last character raised."""
    assert PLAYERS.may_bound(text.encode())


@pytest.mark.parametrize("bound", [b"adam", b"a very lonx nam", b"\xff\x00", b"joins", b"", (5).to_bytes(8, "little")])
def test_other_bounds(bound: bytes) -> None:
    """Bounds of other names and of other kinds of columns are no name."""
    assert not PLAYERS.may_bound(bound)
