"""Runs of maintenance: each step once, or again and again."""

import math
import threading
import time
from collections.abc import Mapping, Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lake.maintenance.steps import Step
from lake.retry import LOCAL, retried
from lake.termination import root_cause

_SAME_FAILURES = 3
"""Runs in a row in which a step fails in the same way …"""
_PATIENCE = 300
"""… for at least so many seconds, in which a server that was unavailable could have come back. The files of this
process do not come back: when it lacks one, it waits for nothing."""


def run(due: Sequence[Step], told: threading.Event) -> dict[str, str]:
    """Do each step, whatever became of the others, until told to end; return why each that failed did."""
    failed = {}
    for step in due:
        if told.is_set():
            break
        started = time.monotonic()
        try:
            did = retried(step.do)
        except (PySparkException, Py4JJavaError) as error:
            failed[step.name] = root_cause(error)
            did = f"failed: {failed[step.name]}"
        print(f"{step.name}: {did}, {time.monotonic() - started:.1f} s", flush=True)
    return failed


class HopelessError(RuntimeError):
    """A step goes on failing in the same way; another process may do better."""


class _Failures:
    """How often, and since when, each step has failed in the same way."""

    def __init__(self) -> None:
        self._same: dict[str, tuple[str, int, float]] = {}

    def note(self, due: Sequence[Step], failed: Mapping[str, str]) -> None:
        """Take what became of a run; raise HopelessError when a step has failed in the same way for too long."""
        now = time.monotonic()
        for step in due:
            cause = failed.get(step.name)
            if cause is None:
                self._same.pop(step.name, None)
                continue
            # What follows the kind of an error may name another file each time.
            kind = cause.split(":")[0]
            before, count, since = self._same.get(step.name, (kind, 0, now))
            count, since = (count + 1, since) if before == kind else (1, now)
            self._same[step.name] = (kind, count, since)
            patience = 0 if LOCAL in cause else _PATIENCE
            if count >= _SAME_FAILURES and now - since >= patience:
                raise HopelessError(f"{step.name} failed {count} times in a row in the same way: {cause}")


def stay(planned: Sequence[Step], every: float, told: threading.Event) -> None:
    """Run again and again, until told to end; raise HopelessError when that changes nothing."""
    done: dict[str, float] = {}
    failures = _Failures()
    while not told.is_set():
        began = time.monotonic()
        due = [one for one in planned if began >= done.get(one.name, -math.inf) + one.pause]
        failed = run(due, told)
        done |= {one.name: began for one in due if one.name not in failed}
        if not told.is_set():
            failures.note(due, failed)
        told.wait(max(0.0, began + every - time.monotonic()))
    print("stopped", flush=True)
