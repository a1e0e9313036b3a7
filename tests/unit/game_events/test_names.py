"""The normal form of names."""

import pytest
from game_events import InvalidEventError, validate
from game_events.names import displayed, normal, normalised, prepare, prepared
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(max_size=40))
def test_normalisation_is_idempotent(name: str) -> None:
    """The normal form of a normal form is itself."""
    assert normal(normal(name)) == normal(name)


@given(st.text(min_size=1, max_size=40))
def test_the_normal_form_of_a_name_is_a_name(name: str) -> None:
    """If a name is accepted, its normal form is accepted unchanged."""
    try:
        kept = prepared("player", name)
    except InvalidEventError:
        return
    assert prepared("player", kept) == kept == normal(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Knight", "kNIGHT"),
        ("k\u00f6nig", "ko\u0308nig"),
        ("\uff2bnight", "knight"),
        ("\ufb01re", "fire"),
        ("Stra\u00dfe", "STRASSE"),
        (" two  words ", "two words"),
        ("two\u00a0words", "two words"),
        ("\U0001f6e1\ufe0f", "\U0001f6e1"),
    ],
)
def test_look_alikes_are_one_name(one: str, other: str) -> None:
    """Case, compatibility forms, composition, spaces and variation selectors make no difference."""
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    "name",
    [
        "a\u200bb",
        "\u202ea",
        "a\u200d",
        "a\x9b",
        "a\ufeff",
        "a\u00ad",
        "\u3164",
        "\u2800",
        "a\ue000",
        "a\U000e0061",
        " ",
    ],
)
def test_invisible_characters_are_refused(name: str) -> None:
    """A name with an invisible character is refused with an error that names the field."""
    with pytest.raises(InvalidEventError, match=r"^guild: expected "):
        prepared("guild", name)


def test_an_event_keeps_its_names_as_given() -> None:
    """A name not in normal form is stored in both forms and shown as given; others are left unchanged."""
    event = {"event_type": "join_guild", "event_id": "e", "schema_version": 1, "received_at": 1_795_465_202_000}
    event |= {"player": "knight1", "guild": "The Knights"}
    assert normalised(event) == event | {"guild": "the knights"}
    prepare(event)
    assert (event["guild"], event["guild_name"]) == ("the knights", "The Knights")
    assert "player_name" not in event
    validate(event)
    assert displayed(event)["guild"] == "The Knights"
    assert normalised(event) is event
