"""The service's metrics, added up over the workers when PROMETHEUS_MULTIPROC_DIR is set."""

import os
from collections import Counter as Tally
from collections.abc import Iterable
from functools import cache

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from game_api.event_log import Outcome

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

CONTENT_TYPE = prometheus.CONTENT_TYPE_LATEST


def count_request(action: str, status: int) -> None:
    _requests(action, status).inc()


def count_events(outcomes: Iterable[tuple[str, Outcome]], seconds: float) -> None:
    """Count (event type, outcome) pairs of one request, which waited `seconds` for Kafka."""
    for (event_type, outcome), number in Tally(outcomes).items():
        _events(event_type, outcome.value).inc(number)
    ACK_SECONDS.observe(seconds)


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    # prometheus_client itself tells by this variable whether it shares metrics.
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
