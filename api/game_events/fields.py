"""The fields of events: name, kind and allowed values."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

MAX_STRING = 8192
"""In characters. The API accepts headers up to this length."""

# Control characters can forge log lines and terminal output. Lone surrogates cannot be encoded as UTF-8.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Kind(Enum):
    """The kind of a value: its Spark SQL type, and its name in error messages."""

    BOOLEAN = ("BOOLEAN", "true or false")
    INTEGER = ("INT", "an integer")
    LONG = ("BIGINT", "an integer")
    STRING = ("STRING", "a string")
    BINARY = ("BINARY", "bytes")
    # An integer in JSON: milliseconds since the epoch.
    TIMESTAMP = ("TIMESTAMP", "an integer")

    def __init__(self, sql_type: str, noun: str) -> None:
        self.sql_type = sql_type
        self.noun = noun


@dataclass(frozen=True)
class Field:
    """One key of an event.

    `minimum` and `maximum` bound a number (milliseconds for a timestamp) or the length of a string in characters.
    """

    name: str
    kind: Kind
    doc: str
    required: bool = False
    minimum: int = 0
    maximum: int = MAX_STRING

    @property
    def expectation(self) -> str:
        """The allowed values in words, for messages such as `strength: expected an integer from 0 to 10`."""
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

        def allows_text(value: object) -> bool:
            return (
                type(value) is str
                and minimum <= len(value) <= maximum
                # isprintable() implies the second check and is faster.
                and (value.isprintable() or not _UNWRITABLE.search(value))
            )

        def allows_boolean(value: object) -> bool:
            return type(value) is bool

        def allows_number(value: object) -> bool:
            return type(value) is int and minimum <= value <= maximum

        return {Kind.STRING: allows_text, Kind.BOOLEAN: allows_boolean}.get(self.kind, allows_number)
