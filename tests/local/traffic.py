"""Traffic during a test: a running stream that writes small files, and a reader that counts rows."""

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
"""Enough players for each of the topic's partitions to get records."""


def swords(count: int, **changes: object) -> list[bytes]:
    """Return purchases of swords, each with an event id of its own unless `changes` set it."""
    return [json.dumps(SWORD | {"event_id": f"sword-{number}"} | changes).encode() for number in range(count)]


@contextmanager
def running_stream(stack: Stack, lake: Lake, trigger: int = 2) -> Iterator[None]:
    """Run the stream with a batch every `trigger` seconds, and write events for every batch."""
    usual = stack["stream"].program
    environment = {**usual.environment, "STREAM_TRIGGER_SECONDS": str(trigger)}
    process = Process(replace(usual, environment=environment), stack.settings)
    process.start()
    stop = threading.Event()

    def write_events() -> None:
        while not stop.wait(0.5):
            for player in _PLAYERS:
                lake.write(swords(1, player=player, received_at=time.time_ns() // 1_000_000), key=player.encode())

    try:
        wait_until("the stream", lambda: process.ready() or not process.alive)
        assert process.alive, process.last_lines()
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write_events)
            try:
                yield
            finally:
                stop.set()
            writing.result()
        wait_until("the last rows", lambda: lake.count() >= len(lake.offsets()), pause=0.5)
        assert ": restarting" not in process.last_lines()
    finally:
        stop.set()
        process.stop()


@contextmanager
def counting(lake: Lake) -> Iterator[list[int]]:
    """Count all rows repeatedly; the reader must see no error and no falling count."""
    counts: list[int] = []
    stop = threading.Event()

    def read() -> None:
        # With a shorter pause it would take CPU from the writers.
        while not stop.wait(1):
            counts.append(lake.count())

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            yield counts
        finally:
            stop.set()
        reader.result()
    assert counts == sorted(counts)
