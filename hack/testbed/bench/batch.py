"""The batch job and the Spark batch people usually write, in turns, over the same new part of the topic."""

from testbed.bench import traffic
from testbed.bench.jobs import Load, Offsets, Round, check_written, plain_load, run_job
from testbed.clients.topic import end_offsets
from testbed.stack.stack import Stack


class BatchBench:
    def __init__(self, stack: Stack, events: int) -> None:
        self._stack = stack
        self._events = events

    def rounds(self, count: int) -> list[Round]:
        rounds = []
        for number in range(1, count + 1):
            starts = end_offsets(self._stack.settings)
            traffic.fill(self._stack.settings, self._events)
            ends = end_offsets(self._stack.settings)
            one = Round(ours=self._ours(starts, ends), plain=plain_load(self._stack, starts, ends))
            print(
                f"batch round {number} of {count}: {one.ours.whole.seconds:.0f} to {one.plain.whole.seconds:.0f} s, "
                f"{one.ours.events_per_core:.0f} to {one.plain.events_per_core:.0f} events/s per core",
                flush=True,
            )
            rounds.append(one)
        check_written(self._stack, count * self._events)
        return rounds

    def _ours(self, starts: Offsets, ends: Offsets) -> Load:
        ranges = [f"{partition}:{start}-{ends[partition]}" for partition, start in starts.items()]
        start_up = run_job(self._stack, "batch-empty", "batch.py", "load", "--offsets", "0:0-0")
        whole = run_job(self._stack, "batch", "batch.py", "load", "--offsets", *ranges)
        return Load(self._events, whole, start_up)
