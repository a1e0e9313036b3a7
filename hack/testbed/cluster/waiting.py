"""Waits for several conditions of the cluster at once."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue

from testbed.cluster.cluster import Cluster
from testbed.cluster.command import KindError
from testbed.cluster.conditions import Conditions
from testbed.cluster.progress import Progress

_SILENCE = 30.0
"""Seconds without a message."""
_PAUSE = 1.0

_Results = SimpleQueue[tuple[str, Exception | None]]


def await_all(cluster: Cluster, waits: Mapping[str, Callable[[], None]], progress: Progress) -> None:
    """Run these waits side by side until all have returned; print which have, and why the others have not."""
    conditions = Conditions(cluster, progress)
    results: _Results = SimpleQueue()
    for name, wait in waits.items():
        # Daemons: after an error or Ctrl-C the program does not wait for the others.
        threading.Thread(target=_run, args=(name, wait, results), daemon=True).start()
    waiting = list(waits)
    reported = time.monotonic()
    while waiting:
        with suppress(Empty):
            name, error = results.get(timeout=_PAUSE)
            if error:
                raise KindError(conditions.explain(f"{name} is not ready: {error}")) from error
            waiting.remove(name)
            progress.say(f"{name} ready")
            reported = time.monotonic()
        if waiting:
            conditions.report()
        if waiting and time.monotonic() - reported > _SILENCE:
            progress.say(f"… waiting for {', '.join(waiting)}")
            reported = time.monotonic()


def _run(name: str, wait: Callable[[], None], results: _Results) -> None:
    try:
        wait()
        results.put((name, None))
    except Exception as error:  # whatever it is, the main thread raises it
        results.put((name, error))
