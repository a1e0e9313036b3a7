"""Real servers for the tests: one stack for all of them, on ports and in a directory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from local.settings import Settings
from local.stack import Stack

from tests.local.lake import Lake


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole stack, up, with the topic and the tables made."""
    data: Path = tmp_path_factory.mktemp("stack")
    one = Stack(Settings.isolated(data))
    one.up()
    yield one
    one.down()


@pytest.fixture(scope="session")
def lake(stack: Stack) -> Lake:
    return Lake(stack)
