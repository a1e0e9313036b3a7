"""Both writers on one topic at once while processes are killed, and what each of them lost or doubled."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf, isinf

import trino
from confluent_kafka import KafkaException

from testbed.bench.exactness import Exactness, exactness
from testbed.bench.freshness import ends_of, newer
from testbed.bench.sql import connect
from testbed.bench.steady import Steady
from testbed.bench.writers import Writer
from testbed.clients.topic import end_offsets
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

PATIENCE = 360
"""Seconds for a writer to recover. After half of them its process is restarted."""
_SETTLE = 30
"""Seconds for rows that are missing to arrive."""
_BEFORE, _AFTER = 6, 4
"""Seconds of load before a process is killed, and after it was started again."""
SERVER_FAULTS = {"broker": "kafka", "metastore": "metastore", "NameNode": "namenode", "DataNode": "datanode"}
OWN = "the writer itself"


def formatted(seconds: float) -> str:
    """Format the seconds of a recovery."""
    return f"no recovery in {PATIENCE} s" if isinf(seconds) else f"{seconds:.0f} s"


@dataclass(frozen=True)
class Recovery:
    """`seconds` from the end of the fault until a new event was visible, infinite if none was in PATIENCE.

    `mended` is the number of failed tasks that were restarted, `by_hand` whether the process was restarted as well.
    """

    seconds: float
    mended: int
    by_hand: bool
    exactness: Exactness

    def __str__(self) -> str:
        by_hand = ", its process restarted by hand" if self.by_hand else ""
        return f"{self.exactness}; {formatted(self.seconds)}, {self.mended} failed tasks restarted{by_hand}"


@dataclass(frozen=True)
class Kill:
    """One fault, and the recovery of each writer."""

    fault: str
    recoveries: dict[str, Recovery]


class ConnectFaults:
    def __init__(self, stack: Stack, writers: Sequence[Writer], rate: int, interval: int) -> None:
        self._stack = stack
        self._writers = writers
        self._rate = rate
        self._interval = interval

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run both writers while the block lasts, which begins when both have caught up."""
        self._starts = end_offsets(self._stack.settings)
        self._before = {writer.name: Exactness(0, 0, 0) for writer in self._writers}
        try:
            for writer in self._writers:
                writer.start(self._interval)
                writer.load(self._interval)
            self._recover(time.monotonic())
            yield
        finally:
            for writer in self._writers:
                # What cannot be asked to end any more is killed.
                with suppress(OSError, TimeoutError):
                    writer.stop()
                writer.process.stop()

    def kills(self, times: int) -> list[Kill]:
        """Kill each of the processes so often under load, and compare both tables with Kafka after each."""
        return [self._kill(fault) for _ in range(times) for fault in (OWN, *SERVER_FAULTS)]

    def _kill(self, fault: str) -> Kill:
        with Steady(self._stack.settings, self._rate).playing():
            time.sleep(_BEFORE)
            self._inflict(fault)
            began = time.monotonic()
            time.sleep(_AFTER)
        recoveries = self._recover(began)
        for name, one in recoveries.items():
            print(f"{fault}, kill -9: {name}: {one}", flush=True)
        return Kill(fault, recoveries)

    def _inflict(self, fault: str) -> None:
        if fault == OWN:
            processes = [writer.process for writer in self._writers]
        else:
            processes = [self._stack[SERVER_FAULTS[fault]]]
        for process in processes:
            process.kill()
        for process in processes:
            process.start()

    def _recover(self, began: float) -> dict[str, Recovery]:
        """Write one more event to each partition, and wait until each table shows it."""
        self._until("a broker that takes events", lambda: bool(end_offsets(self._stack.settings)))
        ends = ends_of(Steady(self._stack.settings, self._rate).play(2))
        taken: dict[str, float] = {}
        mended = {writer.name: 0 for writer in self._writers}
        by_hand: set[str] = set()
        while waiting := [writer for writer in self._writers if writer.name not in taken]:
            for writer in waiting:
                mended[writer.name] += writer.mend()
                if self._shows(writer, ends):
                    taken[writer.name] = time.monotonic() - began
                elif time.monotonic() - began > PATIENCE / 2 and writer.name not in by_hand:
                    by_hand.add(writer.name)
                    writer.process.kill()
                    writer.process.start()
                elif time.monotonic() - began > PATIENCE:
                    taken[writer.name] = inf
            time.sleep(0.2)
        return {
            writer.name: Recovery(
                taken[writer.name], mended[writer.name], writer.name in by_hand, self._new_differences(writer)
            )
            for writer in self._writers
        }

    def _new_differences(self, writer: Writer) -> Exactness:
        """Return what is lost, doubled and differing since the last fault."""
        windows = {p: range(self._starts[p], end) for p, end in end_offsets(self._stack.settings).items()}
        found = exactness(self._stack.settings, writer.table, windows)
        deadline = time.monotonic() + _SETTLE
        while found.lost > self._before[writer.name].lost and time.monotonic() < deadline:
            time.sleep(self._interval)
            found = exactness(self._stack.settings, writer.table, windows)
        new, self._before[writer.name] = found - self._before[writer.name], found
        return new

    def _shows(self, writer: Writer, ends: dict[int, int]) -> bool:
        query = newer(writer.table, {partition: end - 2 for partition, end in ends.items()})
        try:
            with connect(self._stack.settings) as connection:
                rows = dict(connection.run(query).rows)
        except (trino.exceptions.Error, OSError):
            return False
        return all(rows.get(partition, -1) >= end - 1 for partition, end in ends.items())

    def _until(self, what: str, probe: Callable[[], bool]) -> None:
        def answers() -> bool:
            try:
                return probe()
            except (KafkaException, TimeoutError):
                return False

        wait_until(what, answers, PATIENCE)
