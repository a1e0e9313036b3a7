"""Fields: a name, a kind, and the values that are allowed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

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

    @cached_property
    def allows(self) -> Callable[[object], bool]:
        """Tell whether a value is allowed. Made once for each field: it runs for every value of every event."""
        minimum, maximum = self.minimum, self.maximum

        def allows_text(value: object) -> bool:
            return (
                type(value) is str
                and minimum <= len(value) <= maximum
                # What is printable is writable, and found out sooner.
                and (value.isprintable() or not _UNWRITABLE.search(value))
            )

        def allows_truth(value: object) -> bool:
            return type(value) is bool

        def allows_number(value: object) -> bool:
            return type(value) is int and minimum <= value <= maximum

        return {Kind.STRING: allows_text, Kind.BOOLEAN: allows_truth}.get(self.kind, allows_number)
