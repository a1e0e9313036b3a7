"""The stream's metrics for Prometheus."""

import json
import time
from collections.abc import Mapping

from game_settings.reader import SettingsError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from lake.offsets import RangeError, Topic

OBSERVED = "rows"
"""The name under which the query observes its rows: `total` and `rejected`."""


class StreamMetrics(StreamingQueryListener):
    """Metrics that are updated by the events of the query, and served over HTTP."""

    def __init__(self, topic: Topic, position: Mapping[str, int]) -> None:
        """`position` is where the stream continues, until its first batch reports another."""
        registry = CollectorRegistry()
        self._rows = Counter("gamelake_stream_rows", "Rows committed, rejected ones included", registry=registry)
        self._rejected = Counter("gamelake_stream_rejected_rows", "Rejected rows committed", registry=registry)
        self._duration = Histogram(
            "gamelake_stream_batch_duration_seconds",
            "From the trigger to the commit",
            buckets=(0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120),
            registry=registry,
        )
        self._last_duration = Gauge(
            "gamelake_stream_last_batch_duration_seconds", "The same of the last batch", registry=registry
        )
        self._last_rows = Gauge("gamelake_stream_last_batch_rows", "Rows of the last batch", registry=registry)
        self._last_commit = time.time()
        Gauge(
            "gamelake_stream_last_commit_age_seconds", "Since the last commit, or else the start", registry=registry
        ).set_function(lambda: time.time() - self._last_commit)
        self._lag = _Lag(topic, position)
        registry.register(self._lag)
        self._registry = registry

    def serve(self, host: str, port: int) -> None:
        try:
            start_http_server(port, host, registry=self._registry)
        except OSError as error:
            raise SettingsError(f"METRICS_PORT: cannot listen on {host}:{port}: {error.strerror}") from error

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802 Spark's
        pass

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802 Spark's
        progress = event.progress
        [source] = progress.sources
        self._lag.position = json.loads(source.endOffset)[self._lag.topic.name]
        if not progress.numInputRows:
            return
        # A batch that Spark's source could not read is read without it, and is not observed.
        total, rejected = progress.observedMetrics.get(OBSERVED) or (0, 0)
        self._rows.inc(total or 0)
        self._rejected.inc(rejected or 0)
        seconds = progress.durationMs["triggerExecution"] / 1000
        self._duration.observe(seconds)
        self._last_duration.set(seconds)
        self._last_rows.set(total or 0)
        self._last_commit = time.time()

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802 Spark's
        pass

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802 Spark's
        pass


class _Lag(Collector):
    """Reads the end offsets from the broker at each scrape, so that the lag of a stream that hangs is shown."""

    def __init__(self, topic: Topic, position: Mapping[str, int]) -> None:
        self.topic = topic
        self.position = position

    def collect(self) -> list[GaugeMetricFamily]:
        lag = GaugeMetricFamily(
            "gamelake_stream_lag_offsets", "Offsets in Kafka that are no rows yet", labels=["partition"]
        )
        try:
            ranges = self.topic.all()
        except RangeError:
            return []
        for one in ranges:
            position = self.position.get(str(one.partition), one.start)
            lag.add_metric([str(one.partition)], max(0, one.end - position))
        return [lag]
