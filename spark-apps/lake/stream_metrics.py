"""The stream's metrics for Prometheus."""

import time

from game_settings.reader import SettingsError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lake.loader import Batch, Loader
from lake.offsets import RangeError, Topic

_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120)
"""Seconds."""


class StreamMetrics:
    """Metrics of the batches, served over HTTP.

    `last_commit` is when the table's last snapshot was made, in epoch seconds. `others` are served beside them.
    """

    def __init__(self, topic: Topic, loader: Loader, last_commit: float, *others: Collector) -> None:
        registry = CollectorRegistry()
        self._rows = Counter("gamelake_stream_rows", "Rows committed, rejected ones included", registry=registry)
        self._rejected = Counter("gamelake_stream_rejected_rows", "Rejected rows committed", registry=registry)
        self._duration = Histogram(
            "gamelake_stream_batch_duration_seconds",
            "From the look at Kafka and the table to the commit",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._begun = Counter("gamelake_stream_batches_begun", "Batches begun, committed or not", registry=registry)
        self._steps = Histogram(
            "gamelake_stream_step_duration_seconds",
            "Where a batch's time goes: plan, write (read, decode and write files) and commit",
            labelnames=["step"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._last_steps = Gauge(
            "gamelake_stream_last_step_duration_seconds",
            "The same of the last batch",
            labelnames=["step"],
            registry=registry,
        )
        self._last_duration = Gauge(
            "gamelake_stream_last_batch_duration_seconds", "The same of the last batch", registry=registry
        )
        self._last_rows = Gauge("gamelake_stream_last_batch_rows", "Rows of the last batch", registry=registry)
        Gauge("gamelake_stream_start_time_seconds", "When this process began", registry=registry).set_to_current_time()
        self._last_commit = last_commit
        Gauge(
            "gamelake_stream_last_commit_age_seconds", "Since the last commit, of whatever process", registry=registry
        ).set_function(lambda: time.time() - self._last_commit)
        for collector in (_Lag(topic, loader), *others):
            registry.register(collector)
        self._registry = registry

    def serve(self, host: str, port: int) -> None:
        try:
            start_http_server(port, host, registry=self._registry)
        except OSError as error:
            raise SettingsError(f"METRICS_PORT: cannot listen on {host}:{port}: {error.strerror}") from error

    def begun(self) -> None:
        self._begun.inc()

    def committed(self, batch: Batch) -> None:
        self._rows.inc(batch.rows)
        self._rejected.inc(batch.rejected)
        seconds = sum(batch.seconds.values())
        self._duration.observe(seconds)
        for step, duration in batch.seconds.items():
            self._steps.labels(step).observe(duration)
            self._last_steps.labels(step).set(duration)
        self._last_duration.set(seconds)
        self._last_rows.set(batch.rows)
        self._last_commit = time.time()


class _Lag(Collector):
    """Reads the end offsets from the broker at each scrape, so that the lag of a stream that hangs is shown."""

    def __init__(self, topic: Topic, loader: Loader) -> None:
        self._topic, self._loader = topic, loader

    def collect(self) -> list[GaugeMetricFamily]:
        lag = GaugeMetricFamily(
            "gamelake_stream_lag_offsets", "Offsets in Kafka that are no rows yet", labels=["partition"]
        )
        try:
            ranges = self._topic.all()
        except RangeError:
            return []
        for one in ranges:
            missing = sum(gap.size for gap in self._loader.coverage.missing(one))
            lag.add_metric([str(one.partition)], missing)
        return [lag]
