"""Fields: a name, a kind, and the values that are allowed."""

import re
from dataclasses import dataclass
from enum import Enum

MAX_STRING = 8192
"""Characters; as long as the longest header line the API accepts."""

# Control characters make log lines and terminals lie; a lone surrogate has no UTF-8 form.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Kind(Enum):
    """What a value is: its Spark SQL type, and its name in messages."""

    BOOLEAN = ("BOOLEAN", "true or false")
    INTEGER = ("INT", "an integer")
    LONG = ("BIGINT", "an integer")
    STRING = ("STRING", "a string")
    BINARY = ("BINARY", "bytes")
    # In JSON an integer: milliseconds since the epoch.
    TIMESTAMP = ("TIMESTAMP", "an integer")

    def __init__(self, sql_type: str, noun: str) -> None:
        self.sql_type = sql_type
        self.noun = noun


@dataclass(frozen=True)
class Field:
    """One key of an event.

    `minimum` and `maximum` bound a number's value (milliseconds for a timestamp) or a string's length in characters.
    """

    name: str
    kind: Kind
    doc: str
    required: bool = False
    minimum: int = 0
    maximum: int = MAX_STRING

    @property
    def expectation(self) -> str:
        """What a value must be, as the end of a message: `strength: expected an integer from 0 to 10`."""
        if self.kind is Kind.STRING:
            length = f"{self.minimum} to {self.maximum}" if self.minimum else f"at most {self.maximum}"
            return f"{self.kind.noun} of {length} characters, none of them a control character"
        if self.kind is Kind.BOOLEAN:
            return self.kind.noun
        return f"{self.kind.noun} from {self.minimum} to {self.maximum}"

    def allows(self, value: object) -> bool:
        if self.kind is Kind.STRING:
            return type(value) is str and self.minimum <= len(value) <= self.maximum and not _UNWRITABLE.search(value)
        if self.kind is Kind.BOOLEAN:
            return type(value) is bool
        return type(value) is int and self.minimum <= value <= self.maximum
