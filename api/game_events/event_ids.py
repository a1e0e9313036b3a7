"""Event ids: UUIDv7 (RFC 9562), which sort by creation time.

Ids made by the service carry a tag. An event that was not marked idempotent may be retried under its id: the retry is
marked and carries the service-made id.
"""

import os

RETRY_SECONDS = 600
"""How long an event that was not marked may be retried under its id."""

_TAG = "a9d7"
"""The UUID variant and 14 fixed bits, which leaves 60 random bits per millisecond."""

_RUN = 1000
"""The most ids of one draw."""
_ENDS = tuple(f"{number % 4096:03x}" for number in range(4096 + _RUN))

SERVICE_MADE = f"________-____-7___-{_TAG}-____________"
"""`is_service_made` as a pattern for SQL's LIKE."""


def uuid7s(milliseconds: int, count: int) -> list[str]:
    """Return ids for events received at this time, in milliseconds since the epoch."""
    time = f"{milliseconds:012x}"
    drawn = os.urandom(8).hex()
    prefix = f"{time[:8]}-{time[8:]}-7{drawn[:3]}-{_TAG}-{drawn[3:12]}"
    # The ids of one draw follow each other from a random place.
    first = int(drawn[12:15], 16)
    if count <= _RUN:
        return [prefix + digits for digits in _ENDS[first : first + count]]
    return [*uuid7s(milliseconds, _RUN), *uuid7s(milliseconds, count - _RUN)]


def is_service_made(event_id: str) -> bool:
    return len(event_id) == 36 and event_id[18:24] == f"-{_TAG}-" and event_id[13:15] == "-7" and event_id[8] == "-"


def may_be_retried(event_id: str, now: int) -> bool:
    """Tell whether a service-made id is at most RETRY_SECONDS older than `now`, in milliseconds."""
    made = made_at(event_id)
    # The clock of the pod that made the id may be ahead.
    return made is not None and abs(now - made) <= 1000 * RETRY_SECONDS


def made_at(event_id: str) -> int | None:
    """Return when a service-made id was made, in milliseconds since the epoch; None for one that only looks like it."""
    try:
        return int(event_id[:8] + event_id[9:13], 16)
    except ValueError:
        return None


TOO_LATE = (
    f"expected an id of your own, got the id of an event received more than {RETRY_SECONDS // 60} minutes ago, "
    "which can no longer be retried"
)
