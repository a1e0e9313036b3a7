"""From the acknowledgement of an event to the first answer of Trino that shows it."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from testbed.bench.cost import run_module
from testbed.bench.load import percentile
from testbed.bench.metrics import sample
from testbed.bench.pace import Acknowledged
from testbed.bench.sql import asker
from testbed.settings import Settings
from testbed.waiting import wait_until

POLL_SECONDS = 0.5
WARM_UP_SECONDS = 300
"""In a stack's first minutes all code is still being compiled, beside maintenance's first and longest round."""
PATIENCE = 120


@dataclass(frozen=True)
class Sight:
    """What an answer showed, and when it was there: each partition's last offset."""

    at: float
    last: dict[int, int]


@dataclass(frozen=True)
class Freshness:
    """Seconds; `pause` is the median one between two answers of Trino, `batch` what a batch of the stream takes."""

    events: int
    p50: float
    p99: float
    most: float
    pause: float
    batch: float


class Watcher:
    """Asks Trino again and again what it shows, from another thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.sights: list[Sight] = []
        self.failed: BaseException | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def shows(self, ends: dict[int, int]) -> bool:
        """Whether every offset before these ends has been seen; raises what ended the watch."""
        if self.failed:
            raise self.failed
        last = self.sights[-1].last if self.sights else {}
        return all(last.get(partition, -1) >= end - 1 for partition, end in ends.items())

    def _watch(self, ended: threading.Event) -> None:
        try:
            with asker(self._settings) as trino:
                shown = dict.fromkeys(range(self._settings.partitions), -1)
                while not ended.is_set():
                    due = time.monotonic() + POLL_SECONDS
                    shown = shown | dict(trino.ask(_newer(shown)).rows)
                    self.sights.append(Sight(time.monotonic(), shown))
                    ended.wait(max(0, due - time.monotonic()))
        except BaseException as error:
            self.failed = error


def _newer(shown: dict[int, int]) -> str:
    """Ask for each partition's last offset where it is past these: of all files, Trino reads the new ones alone."""
    past = " OR ".join(f"kafka_partition = {partition} AND kafka_offset > {last}" for partition, last in shown.items())
    return f"SELECT kafka_partition, max(kafka_offset) FROM lake.default.events WHERE {past} GROUP BY kafka_partition"


def measure(settings: Settings, rate: int, seconds: float) -> Freshness:
    """Let players send at this rate for so long, and watch; the stack or cluster runs, its stream included."""
    print(f"freshness: {rate} events/s for {seconds:.0f} s", flush=True)
    watcher = Watcher(settings)
    with watcher.watching():
        _play(settings, rate, WARM_UP_SECONDS)
        batches, batch_seconds = _batches(settings)
        acknowledged = _play(settings, rate, seconds)
        ends = _ends(acknowledged)
        wait_until("Trino to show every event", lambda: watcher.shows(ends), PATIENCE)
        wait_until("the stream to say so", lambda: _batches(settings)[0] > batches, PATIENCE)
    more, more_seconds = _batches(settings)
    waits = sorted(delays(acknowledged, watcher.sights))
    pauses = sorted(later.at - one.at for one, later in pairwise(watcher.sights))
    return Freshness(
        events=len(waits),
        p50=percentile(waits, 0.5),
        p99=percentile(waits, 0.99),
        most=waits[-1],
        pause=percentile(pauses, 0.5),
        batch=(more_seconds - batch_seconds) / (more - batches),
    )


def _play(settings: Settings, rate: int, seconds: float) -> list[Acknowledged]:
    paced = run_module("pace", settings.ports.api, rate, seconds, timeout=seconds + 60)
    return list(paced["acknowledged"])


def _ends(acknowledged: Sequence[Acknowledged]) -> dict[int, int]:
    """Of each partition that has any of them, the offset after the last."""
    ends: dict[int, int] = {}
    for partition, offset, _ in acknowledged:
        ends[partition] = max(offset + 1, ends.get(partition, 0))
    return ends


def _batches(settings: Settings) -> tuple[float, float]:
    """How many the stream has written, and what they took together."""
    duration = "gamelake_stream_batch_duration_seconds"
    return sample(settings, f"{duration}_count"), sample(settings, f"{duration}_sum")


def delays(acknowledged: Sequence[Acknowledged], sights: Sequence[Sight]) -> Iterator[float]:
    """Of each event, the seconds until the first answer that showed it."""
    for partition, offset, at in acknowledged:
        first = bisect_left(sights, offset, key=lambda sight: sight.last.get(partition, -1))
        yield sights[first].at - at
