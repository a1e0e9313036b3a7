"""Real servers for the tests: one stack for all of them, on ports and in a directory of its own."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from local.settings import Settings
from local.stack import Stack

from tests.local.lake import Lake

# A test run that is told to end stops its servers, as one does that is interrupted.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The servers, up, with the topic and the tables made: what writes to them is the test's to start."""
    data: Path = tmp_path_factory.mktemp("stack")
    one = Stack(Settings.isolated(data))
    one.up([name for name in one.names if name not in ("stream", "maintenance")])
    yield one
    one.down()


@pytest.fixture(scope="session")
def lake(stack: Stack) -> Lake:
    return Lake(stack)
