"""Percentiles of measured values."""

from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of these values, in ascending order, that at least this share of them does not exceed.

    `share` is rounded to hundredths.
    """
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]
