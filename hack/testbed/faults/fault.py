"""A fault: how to cause it, and how soon the stack has to recover from it."""

from collections.abc import Callable
from dataclasses import dataclass

from testbed.faults.site import Site

SELF_HEALING = 60.0
"""Seconds until events are visible again after the API or the stream died: they restart by themselves."""
RESTARTED = 120.0
"""The same for a server without a replica, which the campaign restarts at once."""


@dataclass(frozen=True)
class Fault:
    """`inflict` returns what exactly was hit, where that is known only afterwards; `limit` is the target in seconds."""

    name: str
    inflict: Callable[[Site], str | None]
    limit: float = SELF_HEALING
    takes_rows: bool = False
    """Whether readers miss rows until the stack has recovered."""
