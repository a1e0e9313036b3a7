"""The batch job, and the Spark batch that people usually write, over the same new part of the topic."""

from testbed.bench.jobs import Load, Offsets, Round, alternate, run_job
from testbed.stack.stack import Stack


class BatchBench:
    def __init__(self, stack: Stack, events: int) -> None:
        self._stack = stack
        self._events = events

    def rounds(self, count: int) -> list[Round]:
        return alternate(self._stack, count, self._events, self._ours, _summary)

    def _ours(self, starts: Offsets, ends: Offsets) -> Load:
        ranges = [f"{partition}:{start}-{ends[partition]}" for partition, start in starts.items()]
        start_up = run_job(self._stack, "batch-empty", "batch.py", "load", "--offsets", "0:0-0")
        whole = run_job(self._stack, "batch", "batch.py", "load", "--offsets", *ranges)
        return Load(self._events, whole, start_up)


def _summary(one: Round) -> str:
    return (
        f"batch job {one.ours.whole.seconds:.0f} s, plain batch {one.plain.whole.seconds:.0f} s; "
        f"{one.ours.events_per_core:.0f} and {one.plain.events_per_core:.0f} events/s per core"
    )
