"""Reads settings: fields of a frozen dataclass, each of which names its environment variable.

A field whose type is another such dataclass is a group of settings, which is read with it; other fields are left alone.
An empty variable counts as unset. Every error has the form `NAME: expected …, got …`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")


class SettingsError(ValueError):
    """A setting that is missing or invalid; the message names its variable."""


@dataclass(frozen=True)
class _Variable:
    name: str
    least: int
    most: int | None
    pattern: str
    expected: str

    def parse(self, text: str, kind: object) -> object:
        """Convert the text to a field's type, or raise SettingsError."""
        if kind is Path:
            return Path(text).resolve()
        if kind is not int:
            if not re.fullmatch(self.pattern, text):
                raise SettingsError(f"{self.name}: expected {self.expected}, got {text!r}")
            return text
        if not text.isdecimal() or (self.most is not None and not self.least <= int(text) <= self.most):
            raise SettingsError(f"{self.name}: expected {self.expected or 'a whole number'}, got {text!r}")
        if int(text) < self.least:
            raise SettingsError(f"{self.name}: expected at least {self.least}, got {text}")
        return int(text)


def setting(
    name: str,
    default: object = MISSING,
    *,
    least: int = 0,
    most: int | None = None,
    choices: tuple[str, ...] = (),
    pattern: str = r"(?s).*",
    expected: str = "",
    secret: bool = False,
) -> Any:  # noqa: ANN401 as dataclasses.field
    """Declare a field that is read from the variable `name`; without a default, the variable is required.

    `least` and `most` bound a number, `choices` or a `pattern` a text; `expected` describes what is accepted. A secret
    is left out of the object's repr.
    """
    if choices:
        pattern, expected = "|".join(map(re.escape, choices)), f"one of {', '.join(choices)}"
    variable = _Variable(name, least, most, pattern, expected)
    return field(default=default, repr=not secret, metadata={"variable": variable})


def read(cls: type[T], environment: Mapping[str, str], **defaults: object) -> T:
    """Make an object of a dataclass of settings, or raise SettingsError; `defaults` replace those of its fields."""
    values: dict[str, object] = {}
    for one in fields(cls):  # type: ignore[arg-type]
        variable = one.metadata.get("variable")
        if is_dataclass(one.type):
            values[one.name] = read(one.type, environment)  # type: ignore[arg-type]
        elif variable and (text := environment.get(variable.name)):
            values[one.name] = variable.parse(text, one.type)
        elif one.name in defaults:
            values[one.name] = defaults[one.name]
        elif variable and one.default is MISSING:
            raise SettingsError(f"{variable.name}: expected a value, got none")
    return cls(**values)


class FromEnvironment:
    """A base of dataclasses of settings."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the environment, or raise SettingsError."""
        return read(cls, environment)


def variables(cls: type) -> set[str]:
    """Return the names of all variables that a dataclass of settings reads."""
    names: set[str] = set()
    for one in fields(cls):
        if is_dataclass(one.type):
            names |= variables(one.type)  # type: ignore[arg-type]
        elif "variable" in one.metadata:
            names.add(one.metadata["variable"].name)
    return names
