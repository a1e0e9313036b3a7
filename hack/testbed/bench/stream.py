"""The stream catching up, and the Spark batch that people usually write, over the same part of the topic."""

import time
from collections.abc import Callable

from testbed.bench.cost import SAMPLE_SECONDS, BenchError, CpuMeter
from testbed.bench.jobs import PATIENCE, Cost, Load, Offsets, Round, alternate
from testbed.clients.stream_metrics import sample
from testbed.stack import parts
from testbed.stack.stack import Stack


class StreamBench:
    def __init__(self, stack: Stack, events: int) -> None:
        self._stack = stack
        self._stream = stack["stream"]
        self._events = events
        parts.fetch_missing(stack.settings, self._stream.program.parts)

    def rounds(self, count: int) -> list[Round]:
        return alternate(self._stack, count, self._events, self._ours, _summary)

    def _ours(self, *_: Offsets) -> Load:
        """Run the stream from its start to the commit of the last row; its start-up ends when the query starts."""
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
        return sample(self._stack.settings, "rows_total") >= self._events


def _summary(one: Round) -> str:
    return (
        f"stream {one.ours.events_per_second_started:.0f}, plain batch {one.plain.events_per_second_started:.0f} "
        f"events/s without Spark's start-up; "
        f"{one.ours.events_per_core:.0f} and {one.plain.events_per_core:.0f} events/s per core with it"
    )
