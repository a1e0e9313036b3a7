"""The active one of two NameNodes dies under load: the other takes over, and nothing is lost."""

import time
from collections.abc import Iterator
from dataclasses import replace
from shutil import rmtree

import pytest
from testbed.clients import namenodes
from testbed.settings import Settings
from testbed.stack.hdfs import NAMENODES
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.local.traffic import counting, running_stream, swords

pytestmark = pytest.mark.lake

LIMIT = 30
"""Seconds without a batch that a failover may take."""

_NOT_NEEDED = ("store", "api", "world", "stream", "maintenance")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The lake with two NameNodes."""
    one = Stack(replace(Settings.isolated(tmp_path_factory.mktemp("failover")), namenodes=2))
    try:
        one.up([name for name in one.names if name not in _NOT_NEEDED])
        yield one
    finally:
        one.down()


def active(stack: Stack) -> str:
    """The name of the active NameNode."""
    wait_until("a NameNode that is active", lambda: namenodes.active(stack.settings) is not None)
    return NAMENODES[namenodes.active(stack.settings) or 0]


def seconds_until_visible(lake: Lake) -> float:
    """Write a row, and return after how many seconds a query returns it."""
    began = time.monotonic()
    [(partition, offset)] = lake.write(swords(1))
    query = f"SELECT 1 FROM lake.default.events WHERE kafka_partition = {partition} AND kafka_offset = {offset}"
    wait_until("the row", lambda: lake.ask(query), pause=0.5)
    return time.monotonic() - began


def test_a_failover(stack: Stack) -> None:
    """Each is killed under load, the second after the first was rebuilt from it: rows are late, but none is lost."""
    lake = Lake(stack)
    with running_stream(stack, lake), counting(lake):
        seconds_until_visible(lake)
        first = active(stack)
        stack[first].kill()
        assert seconds_until_visible(lake) < LIMIT
        second = active(stack)
        assert second != first
        rmtree(stack.settings.data / first)
        stack.up([first])
        stack[second].kill()
        assert seconds_until_visible(lake) < LIMIT
        assert active(stack) == first
        stack.up([second])
