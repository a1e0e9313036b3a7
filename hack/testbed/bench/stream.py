"""The stream as it catches up, and the Spark batch people usually write, in turns, over the same part of the topic."""

import time
from collections.abc import Callable

from testbed.bench import traffic
from testbed.bench.cost import SAMPLE_SECONDS, BenchError, CpuMeter
from testbed.bench.jobs import PATIENCE, Cost, Load, Round, check_written, plain_load
from testbed.bench.metrics import sample
from testbed.clients.topic import end_offsets
from testbed.stack import parts
from testbed.stack.stack import Stack


class StreamBench:
    def __init__(self, stack: Stack, events: int) -> None:
        self._stack = stack
        self._stream = stack["stream"]
        self._events = events
        parts.fetch_missing(stack.settings, self._stream.program.parts)

    def rounds(self, count: int) -> list[Round]:
        rounds = []
        for number in range(1, count + 1):
            starts = end_offsets(self._stack.settings)
            traffic.fill(self._stack.settings, self._events)
            ends = end_offsets(self._stack.settings)
            one = Round(ours=self._ours(), plain=plain_load(self._stack, starts, ends))
            print(
                f"stream round {number} of {count}: {one.ours.events_per_second_started:.0f} to "
                f"{one.plain.events_per_second_started:.0f} events/s once Spark is up, "
                f"{one.ours.events_per_core:.0f} to {one.plain.events_per_core:.0f} events/s per core in all",
                flush=True,
            )
            rounds.append(one)
        check_written(self._stack, count * self._events)
        return rounds

    def _ours(self) -> Load:
        """From the stream's start to the commit of the last row; its start-up ends with the query's start."""
        meter = CpuMeter(self._stream)
        began = time.monotonic()
        self._stream.start()
        try:
            start_up = self._when(began, meter, self._stream.program.probe)
            whole = self._when(began, meter, self._all_committed)
        finally:
            self._stream.stop()
        return Load(self._events, whole, start_up)

    def _when(self, began: float, meter: CpuMeter, condition: Callable[[], bool]) -> Cost:
        while not condition():
            if time.monotonic() - began > PATIENCE:
                raise BenchError(f"the stream took longer than {PATIENCE} s. Its log:\n{self._stream.last_lines()}")
            meter.read()
            time.sleep(SAMPLE_SECONDS)
        return Cost(time.monotonic() - began, meter.read())

    def _all_committed(self) -> bool:
        return sample(self._stack.settings, "gamelake_stream_rows_total") >= self._events
