"""Our stream and Kafka Connect on the same work: catching up, a steady load, and servers that are killed meanwhile."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from testbed.bench import traffic
from testbed.bench.cost import SAMPLE_SECONDS, BenchError, CpuMeter
from testbed.bench.exactness import Exactness, exactness
from testbed.bench.freshness import Watcher, delays, ends_of
from testbed.bench.jobs import Cost, Load
from testbed.bench.sql import connect
from testbed.bench.steady import Steady
from testbed.bench.writers import Writer
from testbed.clients.topic import end_offsets
from testbed.settings import Settings
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

SERVERS = ("kafka", "namenode", "datanode", "metastore", "trino", "tables")
WARM_UP_SECONDS = 60
_PATIENCE = 300
_ASK_SECONDS = 0.5


@dataclass(frozen=True)
class Steadiness:
    """Seconds from acknowledged to visible, in ascending order; `cores` are those that the writer used meanwhile."""

    delays: Sequence[float]
    cores: float


Loads = list[dict[str, Load]]
"""Of each round: by writer."""
Intervals = dict[str, int]
"""Seconds between two commits, by writer."""


class ConnectBench:
    def __init__(self, stack: Stack, writers: Sequence[Writer], rate: int) -> None:
        self._stack = stack
        self._writers = writers
        self._rate = rate

    @property
    def _settings(self) -> Settings:
        return self._stack.settings

    def catch_up(self, interval: int, rounds: int, events: int) -> Loads:
        """Let each writer load the same new events in each round, one after the other."""
        found = []
        for number in range(1, rounds + 1):
            traffic.fill(self._settings, events)
            found.append({writer.name: self._load(writer, interval, events) for writer in self._in_turn(number)})
            told = ", ".join(f"{name} {one.events_per_core_started:.0f}" for name, one in found[-1].items())
            print(f"round {number} of {rounds}, a commit every {interval} s: {told} events/s per core", flush=True)
        return found

    def steady(self, intervals: Intervals, rounds: int, seconds: float) -> dict[str, Steadiness]:
        """Write events at the rate while one writer runs, then the other, in each round."""
        waits: dict[str, list[float]] = {writer.name: [] for writer in self._writers}
        cores: dict[str, list[float]] = {writer.name: [] for writer in self._writers}
        for number in range(1, rounds + 1):
            for writer in self._in_turn(number):
                found, used = self._steady(writer, intervals[writer.name], seconds)
                waits[writer.name] += found
                cores[writer.name].append(used)
        return {name: Steadiness(sorted(waits[name]), sum(cores[name]) / rounds) for name in waits}

    def exactness(self) -> dict[str, Exactness]:
        """Compare both tables with the whole topic."""
        windows = {partition: range(end) for partition, end in end_offsets(self._settings).items()}
        return {writer.name: exactness(self._settings, writer.table, windows) for writer in self._writers}

    def _in_turn(self, number: int) -> Sequence[Writer]:
        """Let each be the first in every other round."""
        return self._writers if number % 2 else self._writers[::-1]

    def _load(self, writer: Writer, interval: int, events: int) -> Load:
        expected = self._rows(writer) + events
        began = time.monotonic()
        writer.start(interval)
        try:
            meter = CpuMeter(writer.process)
            start_up = Cost(time.monotonic() - began, meter.read())
            writer.load(interval)
            asked = 0.0
            while True:
                cpu, now = meter.read(), time.monotonic()
                if now - asked > _ASK_SECONDS:
                    asked = now
                    if self._rows(writer) >= expected:
                        break
                if now - began > _PATIENCE + 2 * interval:
                    raise BenchError(f"{writer.name} did not load all. Its log:\n{writer.process.last_lines()}")
                time.sleep(SAMPLE_SECONDS)
            return Load(events, Cost(now - began, cpu), start_up)
        finally:
            writer.stop()

    def _rows(self, writer: Writer) -> int:
        """Return the rows of a table by its newest snapshot, which costs the same however many they are."""
        catalog, schema, table = writer.table.split(".")
        query = (
            "SELECT cast(element_at(summary, 'total-records') AS bigint) "
            f'FROM {catalog}.{schema}."{table}$snapshots" ORDER BY committed_at DESC LIMIT 1'
        )
        with connect(self._settings) as trino:
            rows = trino.run(query).rows
        return int(rows[0][0]) if rows else 0

    def _steady(self, writer: Writer, interval: int, seconds: float) -> tuple[list[float], float]:
        print(f"{writer.name}: {self._rate} events/s for {seconds:.0f} s, a commit every {interval} s", flush=True)
        watcher = Watcher(self._settings, writer.table)
        patience = _PATIENCE + 2 * interval
        writer.start(interval)
        try:
            writer.load(interval)
            with watcher.watching():
                # Its first commit has all that was written while the other ran.
                Steady(self._settings, self._rate).play(WARM_UP_SECONDS)
                meter = CpuMeter(writer.process)
                before, began = meter.read(), time.monotonic()
                steady = Steady(self._settings, self._rate)
                with steady.playing():
                    # Between two samples, processes that end must not have done much.
                    while time.monotonic() - began < seconds:
                        meter.read()
                        time.sleep(SAMPLE_SECONDS)
                used = (meter.read() - before) / (time.monotonic() - began)
                played = steady.acknowledged
                wait_until("Trino to show every event", lambda: watcher.shows(ends_of(played)), patience)
        finally:
            writer.stop()
        return list(delays(played, watcher.views)), used
