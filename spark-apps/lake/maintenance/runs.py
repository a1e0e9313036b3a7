"""Runs of maintenance: each step once, or periodically."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lake.maintenance.memory import Memory
from lake.maintenance.steps import Step
from lake.retry import is_local, retried
from lake.termination import root_cause

_log = logging.getLogger(__name__)

_SAME_FAILURES = 3
"""Consecutive runs in which a step fails in the same way …"""
_PATIENCE = 300
"""… for at least this many seconds, in which an unavailable server could have returned. Files of this process do not
return: when one is missing, there is no wait."""
_EARLY = 60
"""Seconds before its time at which a step is due: what is scheduled does not start to the second."""


def due(planned: Sequence[Step], memory: Memory) -> list[Step]:
    """Return the steps whose last run is long enough ago."""
    # A run in the future is one of another clock.
    now = time.time()
    return [one for one in planned if not now - one.pause + _EARLY < memory.ran(one.name) <= now + _EARLY]


def run(chosen: Sequence[Step], stop: threading.Event, memory: Memory) -> dict[str, str]:
    """Do each step, whether or not others fail, until `stop` is set; return the cause of each failure."""
    failed = {}
    began = time.time()
    for step in _in_order(chosen, memory):
        if stop.is_set():
            break
        memory.note_try(step.name, began)
        started = time.monotonic()
        try:
            did = retried(step.do)
        except (PySparkException, Py4JJavaError) as error:
            failed[step.name] = root_cause(error)
            _log.error("%s: failed: %s, %.1f s", step.name, failed[step.name], time.monotonic() - started)
        else:
            memory.note_run(step.name, began)
            _log.info("%s: %s, %.1f s", step.name, did, time.monotonic() - started)
    memory.save(frozenset(one.name for one in chosen if one.pause))
    return failed


def _in_order(chosen: Sequence[Step], memory: Memory) -> Iterator[Step]:
    """Order steps by when they last ran, so that one that takes long does not always come before the same others."""
    left = sorted(chosen, key=lambda one: memory.tried(one.name))
    while left:
        names = {one.name for one in left}
        left.remove(first := next(one for one in left if not names.intersection(one.after)))
        yield first


class PersistentFailureError(RuntimeError):
    """A step keeps failing in the same way; a new process may succeed."""


class _Failures:
    """How often, and since when, each step has failed in the same way."""

    def __init__(self) -> None:
        self._same: dict[str, tuple[str, int, float]] = {}

    def note(self, done: Sequence[Step], failed: Mapping[str, str]) -> None:
        """Record a run's failures; raise PersistentFailureError for a step that failed in the same way for too long."""
        now = time.monotonic()
        for step in done:
            cause = failed.get(step.name)
            if cause is None:
                self._same.pop(step.name, None)
                continue
            # The text after the kind of an error may name another file each time.
            kind = cause.split(":")[0]
            before, count, since = self._same.get(step.name, (kind, 0, now))
            count, since = (count + 1, since) if before == kind else (1, now)
            self._same[step.name] = (kind, count, since)
            patience = 0 if is_local(cause) else _PATIENCE
            if count >= _SAME_FAILURES and now - since >= patience:
                raise PersistentFailureError(f"{step.name} failed {count} times in a row in the same way: {cause}")


def stay(planned: Sequence[Step], every: float, stop: threading.Event, memory: Memory) -> None:
    """Run periodically until `stop` is set; raise PersistentFailureError when that does not help."""
    failures = _Failures()
    while not stop.is_set():
        began = time.monotonic()
        memory.recall()
        chosen = due(planned, memory)
        failed = run(chosen, stop, memory)
        if not stop.is_set():
            failures.note(chosen, failed)
        stop.wait(max(0.0, began + every - time.monotonic()))
    _log.info("stopped")
