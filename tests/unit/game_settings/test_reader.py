"""The reader of settings: fields that name their variables."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from game_settings.reader import FromEnvironment, SettingsError, read, setting, variables


@dataclass(frozen=True)
class Inner(FromEnvironment):
    user: str = setting("TEST_USER", "nobody")
    password: str = setting("TEST_PASSWORD", "", secret=True)


@dataclass(frozen=True)
class Outer(FromEnvironment):
    place: str = setting("TEST_PLACE")
    inner: Inner = field(default_factory=Inner)
    count: int = setting("TEST_COUNT", 7, least=5)
    port: int = setting("TEST_PORT", 80, least=1, most=65535, expected="a port from 1 to 65535")
    color: str = setting("TEST_COLOR", "", choices=("red", "green"))
    name: str = setting("TEST_NAME", "a", pattern="[a-z]+", expected="lower-case letters")
    folder: Path = setting("TEST_FOLDER", Path("/default"))
    constant: str = "not a setting"


PLACE = {"TEST_PLACE": "here"}


def test_defaults_and_given_values() -> None:
    """A variable that is set replaces its field's default, converted to the field's type; groups are read alike."""
    assert Outer.from_environment(PLACE) == Outer("here")
    given = {"TEST_USER": "ada", "TEST_COUNT": "12", "TEST_COLOR": "red", "TEST_FOLDER": "/x/../y"}
    expected = Outer("here", Inner(user="ada"), 12, color="red", folder=Path("/y"))
    assert Outer.from_environment(PLACE | given) == expected


def test_an_empty_variable_is_unset() -> None:
    """An empty value counts as none: the default applies, whatever the field accepts."""
    empty = dict.fromkeys(("TEST_COUNT", "TEST_PORT", "TEST_COLOR", "TEST_NAME", "TEST_FOLDER", "TEST_USER"), "")
    assert Outer.from_environment(PLACE | empty) == Outer("here")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TEST_PLACE", "", "TEST_PLACE: expected a value, got none"),
        ("TEST_COUNT", "many", "TEST_COUNT: expected a whole number, got 'many'"),
        ("TEST_COUNT", "-6", "TEST_COUNT: expected a whole number, got '-6'"),
        ("TEST_COUNT", "4", "TEST_COUNT: expected at least 5, got 4"),
        ("TEST_PORT", "eighty", "TEST_PORT: expected a port from 1 to 65535, got 'eighty'"),
        ("TEST_PORT", "0", "TEST_PORT: expected a port from 1 to 65535, got '0'"),
        ("TEST_PORT", "65536", "TEST_PORT: expected a port from 1 to 65535, got '65536'"),
        ("TEST_COLOR", "blue", "TEST_COLOR: expected one of red, green, got 'blue'"),
        ("TEST_NAME", "a\n", "TEST_NAME: expected lower-case letters, got 'a\\n'"),
    ],
)
def test_an_invalid_value_is_named(name: str, value: str, message: str) -> None:
    """Every error says which variable it is, what it accepts and what it has."""
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        Outer.from_environment(PLACE | {name: value})


def test_defaults_of_the_moment() -> None:
    """A default that depends on the machine is given when the settings are read; a variable still replaces it."""
    assert read(Outer, {}, place="elsewhere") == Outer("elsewhere")
    assert read(Outer, PLACE, place="elsewhere") == Outer("here")


def test_names_of_all_variables() -> None:
    """The names include those of groups and exclude fields that are not settings."""
    names = {"PLACE", "USER", "PASSWORD", "COUNT", "PORT", "COLOR", "NAME", "FOLDER"}
    assert variables(Outer) == {f"TEST_{name}" for name in names}


def test_a_secret_is_not_printed() -> None:
    """A settings object in a log or a traceback does not show its secrets."""
    settings = Outer.from_environment(PLACE | {"TEST_USER": "ada", "TEST_PASSWORD": "swordfish"})
    assert "ada" in repr(settings)
    assert "swordfish" not in repr(settings)
