"""Event ids: UUIDv7 (RFC 9562), which sort by the time they were made."""

import os


def uuid7s(milliseconds: int, count: int) -> list[str]:
    """Make ids for events received at this time, in milliseconds since the epoch."""
    time = f"{milliseconds:012x}"
    prefix = f"{time[:8]}-{time[8:]}-7"
    digits = os.urandom(10 * count).hex()
    ids = []
    for start in range(0, 20 * count, 20):
        one = digits[start : start + 20]
        # The variant's two bits leave one of four digits.
        ids.append(f"{prefix}{one[:3]}-{'89ab'[int(one[3], 16) & 3]}{one[4:7]}-{one[7:19]}")
    return ids
