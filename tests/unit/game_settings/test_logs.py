"""The lines of the log."""

import json
import logging
import re
import sys

import pytest
from game_settings.logs import LogSettings, formatter
from game_settings.reader import SettingsError


def record(*arguments: object, failed: bool = False) -> logging.LogRecord:
    """Make the record of a warning of module `game_world.store`, at the first moment of 2026."""
    error = None
    if failed:
        try:
            raise KeyError("gold")
        except KeyError:
            error = sys.exc_info()
    made = logging.LogRecord("game_world.store", logging.WARNING, "store.py", 1, "%s is full", arguments, error)
    made.created, made.msecs = 1_767_225_600.25, 250.0
    return made


def test_text_has_time_level_and_module() -> None:
    """By default a line is text: the time in UTC, the level, the module, the message."""
    line = formatter(LogSettings()).format(record("the store"))
    assert line == "2026-01-01T00:00:00.250Z WARNING game_world.store: the store is full"


def test_text_has_the_cause_of_an_error() -> None:
    """The traceback follows the line, and ends with the error."""
    text = formatter(LogSettings()).format(record("the store", failed=True))
    assert re.search(r"is full\nTraceback .*\nKeyError: 'gold'$", text, re.DOTALL)


def test_json_is_one_line() -> None:
    """With LOG_FORMAT=json a record is one line, whatever its message and its traceback contain."""
    line = formatter(LogSettings(format="json")).format(record('the\n"störe"', failed=True))
    assert "\n" not in line
    fields = json.loads(line)
    assert fields.pop("traceback").endswith("KeyError: 'gold'")
    assert fields == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "WARNING",
        "module": "game_world.store",
        "message": 'the\n"störe" is full',
    }


@pytest.mark.parametrize(("name", "value"), [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "loud")])
def test_an_unknown_format_or_level_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}: expected one of .*, got '{value}'$"):
        LogSettings.from_environment({name: value})
