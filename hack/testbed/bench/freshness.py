"""Freshness: the time from the acknowledgement of an event to the first result in Trino that shows it."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from game_events import FAMILIES
from game_events.table import LIVE
from lake.settings import EVENTS
from trino.exceptions import TrinoUserError

from testbed.bench.cost import run_module
from testbed.bench.pace import Acknowledged, Played
from testbed.bench.sql import connect
from testbed.clients.stream_metrics import sample
from testbed.percentile import percentile
from testbed.settings import Settings
from testbed.waiting import wait_until

POLL_SECONDS = 0.5
WARM_UP_SECONDS = 300
"""In a stack's first minutes the JVMs still compile, and maintenance runs its first and longest round."""
_LIVE_WARM_UP_SECONDS = 60
PATIENCE = 120

_LIVE_FAMILY = "purchases"


@dataclass(frozen=True)
class View:
    """The last offset of each partition that a result showed, and when it arrived."""

    at: float
    last: dict[int, int]


@dataclass(frozen=True)
class Freshness:
    """In seconds; `pause` is the median time between two results, `batch` the duration of a batch of the stream."""

    events: int
    p50: float
    p99: float
    most: float
    pause: float
    batch: float


class Watcher:
    """Polls Trino for the last offsets that a table or view shows, in a thread of its own."""

    def __init__(self, settings: Settings, table: str) -> None:
        self._settings, self._table = settings, table
        self.views: list[View] = []
        self.failed: BaseException | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def shows(self, ends: dict[int, int]) -> bool:
        """Tell whether every offset before these ends has been visible; raise the error that ended the watch."""
        if self.failed:
            raise self.failed
        last = self.views[-1].last if self.views else {}
        return all(last.get(partition, -1) >= end - 1 for partition, end in ends.items())

    def _watch(self, stop: threading.Event) -> None:
        try:
            with connect(self._settings) as trino:
                shown = dict.fromkeys(range(self._settings.partitions), -1)
                while not stop.is_set():
                    due = time.monotonic() + POLL_SECONDS
                    shown = shown | dict(trino.run(newer(self._table, shown)).rows)
                    self.views.append(View(time.monotonic(), shown))
                    stop.wait(max(0, due - time.monotonic()))
        except BaseException as error:
            self.failed = error


def newer(table: str, shown: dict[int, int]) -> str:
    """Return a query for the last offset of each partition after `shown`; Trino then reads only new files."""
    past = " OR ".join(f"kafka_partition = {partition} AND kafka_offset > {last}" for partition, last in shown.items())
    return f"SELECT kafka_partition, max(kafka_offset) FROM {table} WHERE {past} GROUP BY kafka_partition"


def measure(settings: Settings, rate: int, seconds: float) -> Freshness:
    """Send events at this rate and watch them become visible, on a running stack or cluster with its stream."""
    return _measure(settings, rate, seconds, EVENTS, WARM_UP_SECONDS, tuple(FAMILIES))


def measure_live(settings: Settings, rate: int, seconds: float) -> Freshness:
    """The same of a live view, whose family's events are a part of those that are sent, after `measure`."""
    wait_until("the live views", lambda: _answers(settings), PATIENCE)
    return _measure(settings, rate, seconds, f"{_LIVE_FAMILY}{LIVE}", _LIVE_WARM_UP_SECONDS, (_LIVE_FAMILY,))


def _answers(settings: Settings) -> bool:
    try:
        with connect(settings) as trino:
            return bool(trino.run(f"SELECT count(*) FROM {_LIVE_FAMILY}{LIVE}").rows)
    except TrinoUserError:
        return False


def _measure(
    settings: Settings, rate: int, seconds: float, table: str, warm_up_seconds: float, families: Sequence[str]
) -> Freshness:
    print(f"freshness of {table}: {rate} events/s for {seconds:.0f} s", flush=True)
    watcher = Watcher(settings, table)
    with watcher.watching():
        _play(settings, rate, warm_up_seconds)
        batches, batch_seconds = _batches(settings)
        acknowledged = [one[:3] for one in _play(settings, rate, seconds) if one[3] in families]
        ends = ends_of(acknowledged)
        wait_until("Trino to show every event", lambda: watcher.shows(ends), PATIENCE)
        wait_until("the stream's metrics", lambda: _batches(settings)[0] > batches, PATIENCE)
    more, more_seconds = _batches(settings)
    waits = sorted(delays(acknowledged, watcher.views))
    pauses = sorted(later.at - one.at for one, later in pairwise(watcher.views))
    return Freshness(
        events=len(waits),
        p50=percentile(waits, 0.5),
        p99=percentile(waits, 0.99),
        most=waits[-1],
        pause=percentile(pauses, 0.5),
        batch=(more_seconds - batch_seconds) / (more - batches),
    )


def _play(settings: Settings, rate: int, seconds: float) -> list[Played]:
    paced = run_module("pace", settings.ports.api, rate, seconds, timeout=seconds + 60)
    return list(paced["acknowledged"])


def ends_of(acknowledged: Sequence[Acknowledged]) -> dict[int, int]:
    """Return the offset after the last of these events, by partition."""
    ends: dict[int, int] = {}
    for partition, offset, _ in acknowledged:
        ends[partition] = max(offset + 1, ends.get(partition, 0))
    return ends


def _batches(settings: Settings) -> tuple[float, float]:
    """Return the number of batches that the stream has written, and their total duration."""
    duration = "batch_duration_seconds"
    return sample(settings, f"{duration}_count"), sample(settings, f"{duration}_sum")


def delays(acknowledged: Sequence[Acknowledged], views: Sequence[View]) -> Iterator[float]:
    """Yield for each event the seconds until the first result that showed it."""
    for partition, offset, at in acknowledged:
        first = bisect_left(views, offset, key=lambda view: view.last.get(partition, -1))
        yield views[first].at - at
