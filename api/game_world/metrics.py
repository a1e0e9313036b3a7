"""The projection's metrics: how far the world is behind the topic, and how full its store is."""

import logging
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

_log = logging.getLogger(__name__)


class Metrics:
    """They outlive a projection that has to begin again."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._lag = self._gauge(
            "lag_records", "Records of the topic that the world has not seen yet", labelnames=["partition"]
        )
        self._caught_up = self._gauge("caught_up", "Whether the topic was read to its end since the start")
        self._pending = self._gauge("pending_events", "Decided events that were not read from the topic yet")
        self._used = self._gauge("store_memory_bytes", "Memory of the store that counts for its limit")
        self._limit = self._gauge("store_memory_limit_bytes", "The store's limit; 0: none")
        self._full = self._gauge("store_full", "Whether the world takes no new names because memory is short")
        self._reverted = self._counter("reverted_events", "Decided events that never reached the topic")
        self._failures = self._counter("failures", "Times that Kafka or the store did not answer the projection")

    def _gauge(self, name: str, text: str, labelnames: list[str] | None = None) -> Gauge:
        return Gauge(f"game_world_{name}", text, labelnames or [], registry=self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"game_world_{name}", text, registry=self._registry)

    def serve(self, host: str, port: int) -> None:
        """Serve them over HTTP from now on; without the port the world does without."""
        try:
            start_http_server(port, host, registry=self._registry)
        except OSError as error:
            _log.warning(f"no metrics: WORLD_METRICS_PORT: cannot listen on {host}:{port}: {error.strerror}")

    def behind(self, positions: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Note where the world and the topic are: the next offsets by partition."""
        for partition, end in ends.items():
            self._lag.labels(str(partition)).set(max(0, end - positions[partition]))

    def caught_up(self) -> None:
        self._caught_up.set(1)

    def reverted(self, number: int) -> None:
        self._reverted.inc(number)

    def failed(self) -> None:
        """Note that a server did not answer: until it does, nobody knows how far behind the world is."""
        self._failures.inc()
        self._caught_up.set(0)
        self._lag.clear()

    def stored(self, pending: int, used: int, limit: int, is_full: bool) -> None:
        """Note what the store holds; memory is in bytes."""
        self._pending.set(pending)
        self._used.set(used)
        self._limit.set(limit)
        self._full.set(is_full)
