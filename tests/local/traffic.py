"""The stream at work while a test runs: it writes small files, and a reader counts all the while."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from testbed.stack.process import Process
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

from tests.local.lake import Lake
from tests.poison import SWORD

_PLAYERS = [f"knight{number}" for number in range(10, 20)]
"""Enough for each of the topic's partitions to get records."""


def swords(count: int, **changes: object) -> list[bytes]:
    return [json.dumps(SWORD | {"event_id": f"sword-{number}"} | changes).encode() for number in range(count)]


@contextmanager
def running_stream(stack: Stack, lake: Lake) -> Iterator[None]:
    """A stream with a batch every second, and events for each of them."""
    usual = stack["stream"].program
    process = Process(replace(usual, environment={**usual.environment, "STREAM_TRIGGER_SECONDS": "1"}), stack.settings)
    process.start()
    ended = threading.Event()

    def feed() -> None:
        while not ended.wait(0.2):
            for player in _PLAYERS:
                lake.write(swords(1, player=player, received_at=time.time_ns() // 1_000_000), key=player.encode())

    try:
        wait_until("the stream", lambda: process.ready() or not process.alive, 120)
        assert process.alive, process.last_lines()
        with ThreadPoolExecutor(1) as pool:
            feeding = pool.submit(feed)
            try:
                yield
            finally:
                ended.set()
            feeding.result()
        wait_until("the last rows", lambda: lake.count() >= len(lake.offsets()), 120, pause=0.5)
        assert "starting it again" not in process.last_lines()
    finally:
        ended.set()
        process.stop()


@contextmanager
def counting(lake: Lake) -> Iterator[list[int]]:
    """A reader that counts all rows again and again; it may see no error and no count that falls."""
    counts: list[int] = []
    ended = threading.Event()

    def read() -> None:
        # Without a pause it would take what the writers beside it need.
        while not ended.wait(0.25):
            counts.append(lake.count())

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            yield counts
        finally:
            ended.set()
        reader.result()
    assert counts == sorted(counts)
