"""Event ids: UUIDv7 (RFC 9562), which sort by the time they were made.

Those that the service makes are recognisable. An event that was not marked idempotent may be retried under its id: such
a retry carries a service-made id and is marked.
"""

import os

RETRY_SECONDS = 600
"""For so long an event that was not marked may be retried under its id."""

_TAG = "a9d7"
"""The variant and 14 bits; 60 random bits a millisecond remain."""

SERVICE_MADE = f"________-____-7___-{_TAG}-____________"
"""The pattern of SQL's LIKE by which `is_service_made` is true."""


def uuid7s(milliseconds: int, count: int) -> list[str]:
    """Make ids for events received at this time, in milliseconds since the epoch."""
    time = f"{milliseconds:012x}"
    prefix = f"{time[:8]}-{time[8:]}-7"
    digits = os.urandom(8 * count).hex()
    return [
        f"{prefix}{digits[start : start + 3]}-{_TAG}-{digits[start + 3 : start + 15]}"
        for start in range(0, 16 * count, 16)
    ]


def is_service_made(event_id: str) -> bool:
    return len(event_id) == 36 and event_id[18:24] == f"-{_TAG}-" and event_id[13:15] == "-7" and event_id[8] == "-"


def may_be_retried(event_id: str, now: int) -> bool:
    """Whether a service-made id is of an event received at most RETRY_SECONDS before `now`, in milliseconds."""
    try:
        made = int(event_id[:8] + event_id[9:13], 16)
    except ValueError:
        return False
    # Another pod's clock may be ahead.
    return abs(now - made) <= 1000 * RETRY_SECONDS


TOO_LATE = (
    f"expected an id of your own, got that of an event received more than {RETRY_SECONDS // 60} minutes ago, "
    "which can no longer be retried"
)
