"""A fault: how it is inflicted, and how soon all must be well again."""

from collections.abc import Callable
from dataclasses import dataclass

from testbed.faults.site import Site

SELF_HEALING = 60.0
"""Seconds until events are visible again after the API or the stream died: nobody helps them."""
RESTARTED = 120.0
"""The same for a server of which there is but one, and that is started again at once."""


@dataclass(frozen=True)
class Fault:
    """`inflict` returns what exactly was hit, where that is known only afterwards."""

    name: str
    inflict: Callable[[Site], str | None]
    limit: float = SELF_HEALING
