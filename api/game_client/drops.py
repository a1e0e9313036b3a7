"""What the client dropped."""

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    QUEUE_FULL = "queue-full"
    INVALID = "invalid"
    TOO_LARGE = "too-large"
    IN_DOUBT = "in-doubt"


class Dropped(NamedTuple):
    """The events of a session from the sequence number `first` to `last`, both included; `at` is the device's time."""

    session_id: str
    first: int
    last: int
    reason: str
    detail: str
    at: int
