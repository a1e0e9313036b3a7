"""Players and an analyst, at it while something happens to the cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from testbed.faults.reader import Reader
from testbed.simulator.players import Players

from tests.e2e.installation import Installation

_RATE = 20


@contextmanager
def traffic(installation: Installation) -> Iterator[Reader]:
    """Players send events, and a reader asks Trino, who may see no double and no count that falls."""
    with Players(installation.settings, rate=_RATE), Reader(installation.settings) as reader:
        yield reader
    assert reader.answers
    assert reader.wrong == []
