"""The service's metrics, added up over the workers when PROMETHEUS_MULTIPROC_DIR is set."""

import os
import sys
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from game_api.log.event_log import Outcome

REQUESTS = Counter("game_api_requests", "Requests answered", ["action", "status"])
EVENTS = Counter("game_api_events", "Events by what became of them", ["event_type", "outcome"])
ACK_SECONDS = Histogram(
    "game_api_ack_seconds",
    "From handing a request's events to Kafka until all have a receipt",
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
QUEUE_LENGTH = Gauge("game_api_producer_queue_length", "Events not yet acknowledged", multiprocess_mode="livesum")

# Looking up a counter by its labels costs more than counting.
_requests = cache(REQUESTS.labels)
_events = cache(EVENTS.labels)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client itself tells whether it shares metrics."""

P = ParamSpec("P")

_said: set[str] = set()

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST


def make_folder() -> None:
    """Make the folder that the workers share, should it be gone."""
    if folder := os.environ.get(FOLDER):
        Path(folder).mkdir(parents=True, exist_ok=True)


def _harmless(measure: Callable[P, None]) -> Callable[P, None]:
    """Make a measurement one that never decides what is answered: what is in its way is said once."""

    @wraps(measure)
    def measured(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            measure(*arguments, **named)
        except Exception as error:
            _mend(error)

    return measured


def _mend(error: Exception) -> None:
    """Say what is in the way of the metrics, and make their folder again, so that later ones are counted."""
    if (problem := f"{type(error).__name__}: {error}") not in _said:
        _said.add(problem)
        print(f"warning: metrics are incomplete: {problem}", file=sys.stderr, flush=True)
    try:
        make_folder()
    except OSError:
        return


@_harmless
def count_request(action: str, status: int) -> None:
    _requests(action, status).inc()


@_harmless
def count_events(outcomes: Iterable[tuple[str, Outcome]], seconds: float) -> None:
    """Count (event type, outcome) pairs of one request, which waited `seconds` for Kafka."""
    for (event_type, outcome), number in Tally(outcomes).items():
        _events(event_type, outcome.value).inc(number)
    ACK_SECONDS.observe(seconds)


@_harmless
def set_queue_length(number: int) -> None:
    QUEUE_LENGTH.set(number)


def exposition() -> bytes:
    """All metrics in Prometheus' text format, as far as there are any."""
    if FOLDER not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    try:
        make_folder()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    except Exception as error:
        _mend(error)
        return b""
