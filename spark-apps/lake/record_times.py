"""Timestamps of records, limited to those that a table can represent."""

_EARLIEST, _LATEST = 0, 4_102_444_800_000
"""Milliseconds: 1970 to 2100. Producers may stamp records with any number; Parquet, Trino and Python have limits."""


def shown(milliseconds: int) -> int:
    """Return the nearest time that a row can have, in milliseconds since the epoch."""
    return min(max(milliseconds, _EARLIEST), _LATEST)
