"""The service's metrics, summed over all workers if PROMETHEUS_MULTIPROC_DIR is set."""

import logging
import os
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec

import prometheus_client as prometheus
from game_world.world import LimitedError, RefusedError, Watcher, WorldUnavailableError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from game_api.errors import BusyError
from game_api.identity.errors import KeysUnavailableError
from game_api.log.event_log import Outcome

REQUESTS = Counter("game_api_requests", "Requests answered", ["action", "status"])
EVENTS = Counter("game_api_events", "Events by outcome", ["event_type", "outcome"])
ACK_SECONDS = Histogram(
    "game_api_ack_seconds",
    "From handing a request's events to Kafka until all have a receipt",
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
QUEUE_LENGTH = Gauge("game_api_producer_queue_length", "Events not yet acknowledged", multiprocess_mode="livesum")

REFUSALS = Counter("game_api_refusals", "Requests refused, by the cause", ["status", "reason"])
STORE_FAILURES = Counter("game_api_store_failures", "Calls to the world's store that failed")
UNCONFIRMED = Gauge(
    "game_api_unconfirmed_events",
    "Unconfirmed events that the world's store does not know of yet",
    multiprocess_mode="livesum",
)

# Looking up a counter by its labels costs more than incrementing it.
_requests = cache(REQUESTS.labels)
_events = cache(EVENTS.labels)
_refusals = cache(REFUSALS.labels)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that makes prometheus_client share metrics between processes."""

P = ParamSpec("P")

_logger = logging.getLogger(__name__)

_reported: set[str] = set()

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST


def make_folder() -> None:
    """Create the folder that the workers share, if it does not exist."""
    if folder := os.environ.get(FOLDER):
        Path(folder).mkdir(parents=True, exist_ok=True)


def _never_failing(measure: Callable[P, None]) -> Callable[P, None]:
    """Wrap a measurement so that its errors never affect a response; each error is logged once."""

    @wraps(measure)
    def measured(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            measure(*arguments, **named)
        except Exception as error:
            _recover(error)

    return measured


def _recover(error: Exception) -> None:
    """Log an error of the metrics, and recreate their folder so that later ones are counted."""
    if (problem := f"{type(error).__name__}: {error}") not in _reported:
        _reported.add(problem)
        _logger.warning("metrics are incomplete: %s", problem)
    try:
        make_folder()
    except OSError:
        return


@_never_failing
def count_request(action: str, status: int) -> None:
    _requests(action, status).inc()


@_never_failing
def count_events(outcomes: Iterable[tuple[str, Outcome]], seconds: float) -> None:
    """Count the (event type, outcome) pairs of a request that waited `seconds` for Kafka."""
    for (event_type, outcome), number in Tally(outcomes).items():
        _events(event_type, outcome.value).inc(number)
    ACK_SECONDS.observe(seconds)


@_never_failing
def set_queue_length(number: int) -> None:
    QUEUE_LENGTH.set(number)


@_never_failing
def count_refusal(error: Exception) -> None:
    """Count an error that says why a request was refused; others count by their status only.

    The reasons are finite: names of the rules and of the limits, never a client's text.
    """
    match error:
        case RefusedError():
            _refusals("409", error.reason).inc()
        case LimitedError():
            _refusals("429", error.field).inc()
        case WorldUnavailableError():
            _refusals("503", "world").inc()
        case KeysUnavailableError():
            _refusals("503", "keys").inc()
        case BusyError():
            _refusals("503", "busy").inc()


class StoreWatcher(Watcher):
    """Counts what happens to the world's calls to its store."""

    @_never_failing
    def failed(self) -> None:
        STORE_FAILURES.inc()

    @_never_failing
    def unconfirmed(self, number: int) -> None:
        UNCONFIRMED.set(number)


def exposition() -> bytes:
    """Return all available metrics in Prometheus' text format."""
    if FOLDER not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    try:
        make_folder()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    except Exception as error:
        _recover(error)
        return b""
