"""Event ids: UUIDv7 (RFC 9562), which sort by the time they were made."""

import os
import uuid


def uuid7(milliseconds: int) -> str:
    """Make an id for an event received at this time, in milliseconds since the epoch."""
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
