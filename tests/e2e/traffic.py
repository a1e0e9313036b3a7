"""Players and an analyst who stay active while the cluster is disturbed."""

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.faults.reader import Reader
from testbed.simulator.players import Players

from tests.e2e.installation import Installation

_RATE = 20


@contextmanager
def traffic(installation: Installation, rate: float = _RATE) -> Iterator[Reader]:
    """Players send events, and a reader queries Trino: it must see no duplicate and no falling count."""
    players = Players(installation.settings, rate=rate, issue=installation.issue)
    with players, Reader(installation.settings) as reader:
        yield reader
    assert reader.answers
    assert reader.errors == []
