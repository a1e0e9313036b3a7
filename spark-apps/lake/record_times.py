"""The times that a table can show, of those that a broker says."""

_EARLIEST, _LATEST = 0, 4_102_444_800_000
"""Milliseconds: 1970 to 2100. A producer may stamp a record with any number; Parquet, Trino and Python end sooner."""


def shown(milliseconds: int) -> int:
    """Return the nearest time that a row can have; `milliseconds` are since the epoch."""
    return min(max(milliseconds, _EARLIEST), _LATEST)
