"""The stream: loads the topic into `events`, a batch every few seconds, each offset exactly once."""

import logging
import threading
import time

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lake import history
from lake.loader import Batch, Loader
from lake.maintenance.ages import Ages
from lake.maintenance.memory import TableMemory
from lake.maintenance.steps import steps
from lake.offsets import OffsetRange, Topic
from lake.outages import outage
from lake.session import lake_session
from lake.settings import Settings
from lake.stream_metrics import StreamMetrics
from lake.tail_keeper import TailKeeper
from lake.termination import on_sigterm, root_cause

_log = logging.getLogger(__name__)

_LOOK = 0.5
"""Seconds between two questions to Kafka while there is nothing to load."""
_ASK_TABLE = 30.0
"""Seconds after which an idle stream reads the table's metadata, which shows whether it was rolled back."""
_PATIENCE = 180.0
"""Seconds for which a server may be out of service. Then the process is restarted, in case that it is the reason."""


class Stream:
    """Loads at once while it is behind, and otherwise a trigger interval after the last batch began."""

    def __init__(self, loader: Loader, topic: Topic, settings: Settings, metrics: StreamMetrics) -> None:
        self._loader, self._topic, self._metrics = loader, topic, metrics
        self._interval = settings.trigger_seconds
        self._most = settings.max_offsets_per_trigger

    def run(self, stop: threading.Event) -> None:
        """Load batches until `stop` is set; the running batch is finished."""
        asked = answered = time.monotonic()
        pause = 0.0
        while not stop.wait(pause):
            began = time.monotonic()
            try:
                if began > asked + _ASK_TABLE:
                    asked = began
                    self._ask_table()
                batch = self._batch() if self._is_due() else None
                answered = time.monotonic()
            except Exception as error:
                reason = outage(error)
                if reason is None or time.monotonic() > answered + _PATIENCE:
                    raise
                _log.warning("%s: again in a second", reason)
                pause = 1.0
                continue
            if batch is None:
                pause = min(_LOOK, self._interval)
            else:
                asked = began
                pause = max(0.0, began + self._interval - time.monotonic()) if batch.is_last else 0.0

    def _ask_table(self) -> None:
        try:
            self._loader.refresh()
        except (PySparkException, Py4JJavaError) as error:
            _log.warning("the table cannot be read now: %s", root_cause(error))

    def _is_due(self) -> bool:
        """Whether the table lacks an offset, or has one that Kafka does not; this asks Kafka alone."""
        ends = {one.partition: one.end for one in self._topic.all()}
        covered = self._loader.coverage
        lacks = any(covered.missing(OffsetRange(number, 0, end)) for number, end in ends.items())
        return lacks or any(covered.end(number) > ends.get(number, 0) for number in covered.partitions)

    def _batch(self) -> Batch | None:
        batch = self._loader.load(self._most, begun=self._metrics.begun)
        if batch:
            self._metrics.committed(batch)
        return batch


def run(settings: Settings) -> None:
    """Run until SIGTERM; raise the error that ends the stream otherwise."""
    topic = Topic(settings)
    topic.identity()
    spark = lake_session("stream", settings)
    stop = threading.Event()
    on_sigterm(spark, stop.set)
    loader = Loader(spark, settings, topic)
    loader.begin()
    snapshot = history.table(spark).currentSnapshot()
    memory = TableMemory(spark)
    ages = Ages(memory, [step.name for step in steps(spark, settings, memory)])
    metrics = StreamMetrics(topic, loader, snapshot.timestampMillis() / 1000 if snapshot else time.time(), ages)
    metrics.serve(settings.metrics_host, settings.metrics_port)
    _log.info("streaming %s every %d s, from %s", topic.name, settings.trigger_seconds, loader.coverage)
    with TailKeeper(spark, settings, memory.read).keeping():
        Stream(loader, topic, settings, metrics).run(stop)
    _log.info("stopped")
