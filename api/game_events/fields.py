"""The fields of events: name, kind and allowed values."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

MAX_STRING = 8192
"""In characters. The API accepts headers up to this length."""

# Control characters can forge log lines and terminal output. Lone surrogates cannot be encoded as UTF-8.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

MAX_DEPTH = 5
"""How deeply an object's values may be nested; the object itself is the first level."""
MAX_NUMBER = 10**18
"""The magnitude of a number within an object. Such integers fit 64 bits."""

# json.dumps with options would create an encoder per call.
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Encode a value as compact JSON, of which events and the columns with objects consist."""


class Kind(Enum):
    """The kind of a value: its Spark SQL type, and its name in error messages."""

    BOOLEAN = ("BOOLEAN", "true or false")
    INTEGER = ("INT", "an integer")
    LONG = ("BIGINT", "an integer")
    STRING = ("STRING", "a string")
    BINARY = ("BINARY", "bytes")
    # An integer in JSON: milliseconds since the epoch.
    TIMESTAMP = ("TIMESTAMP", "an integer")
    # In the table: its text.
    OBJECT = ("STRING", "a JSON object")

    def __init__(self, sql_type: str, noun: str) -> None:
        self.sql_type = sql_type
        self.noun = noun


@dataclass(frozen=True)
class Field:
    """One key of an event.

    `minimum` and `maximum` bound a number (milliseconds for a timestamp), the length of a string in characters, or the
    length of an object in bytes of compact JSON. A string also matches `pattern`, if there is one. The values of an
    object are of the kind `values`, or else any JSON.
    """

    name: str
    kind: Kind
    doc: str
    required: bool = False
    minimum: int = 0
    maximum: int = MAX_STRING
    pattern: str = ""
    values: Kind | None = None

    @property
    def expectation(self) -> str:
        """The allowed values in words, for messages such as `strength: expected an integer from 0 to 10`."""
        if self.pattern:
            return f"{self.kind.noun} that matches {self.pattern}"
        if self.kind is Kind.OBJECT:
            if self.values is Kind.STRING:
                return f"{self.kind.noun} of strings, at most {self.maximum} bytes, without control characters"
            return (
                f"{self.kind.noun} of at most {self.maximum} bytes and {MAX_DEPTH} levels, without control characters "
                f"and numbers beyond {MAX_NUMBER:.0e}"
            )
        if self.kind is Kind.STRING:
            length = f"{self.minimum} to {self.maximum}" if self.minimum else f"at most {self.maximum}"
            return f"{self.kind.noun} of {length} characters, none of them a control character"
        if self.kind is Kind.BOOLEAN:
            return self.kind.noun
        return f"{self.kind.noun} from {self.minimum} to {self.maximum}"

    @cached_property
    def allows(self) -> Callable[[object], bool]:
        """A function that tells whether a value is allowed, built once because it runs for every value."""
        minimum, maximum = self.minimum, self.maximum
        matches = re.compile(self.pattern).fullmatch

        def allows_text(value: object) -> bool:
            return (
                type(value) is str
                and minimum <= len(value) <= maximum
                # isprintable() implies the second check and is faster.
                and (value.isprintable() or not _UNWRITABLE.search(value))
            )

        def allows_pattern(value: object) -> bool:
            return allows_text(value) and matches(str(value)) is not None

        def allows_object(value: object) -> bool:
            return (
                type(value) is dict
                and (self.values is not Kind.STRING or all(type(one) is str for one in value.values()))
                and _is_storable(value, MAX_DEPTH)
                and minimum <= len(to_json(value).encode()) <= maximum
            )

        def allows_boolean(value: object) -> bool:
            return type(value) is bool

        def allows_number(value: object) -> bool:
            return type(value) is int and minimum <= value <= maximum

        if self.pattern:
            return allows_pattern
        return {Kind.STRING: allows_text, Kind.BOOLEAN: allows_boolean, Kind.OBJECT: allows_object}.get(
            self.kind, allows_number
        )


def _is_writable(text: str) -> bool:
    return text.isprintable() or not _UNWRITABLE.search(text)


def _is_storable(value: object, depth: int) -> bool:
    """Whether an object may contain this value, at this distance from the deepest level."""
    match value:
        case str():
            return _is_writable(value)
        case bool() | None:
            return True
        case int() | float():
            # NaN is not.
            return abs(value) <= MAX_NUMBER
        case dict():
            return depth > 0 and all(_is_writable(key) and _is_storable(one, depth - 1) for key, one in value.items())
        case list():
            return depth > 0 and all(_is_storable(one, depth - 1) for one in value)
    return False
