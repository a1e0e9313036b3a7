"""The stream: loads the topic into `events`, a batch every few seconds, each offset exactly once."""

import logging
import threading
from collections.abc import Callable

from game_events import REJECTED
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.streaming.query import StreamingQuery

from lake import events_table, topic_writer
from lake.checkpoint import Checkpoint
from lake.offsets import Topic
from lake.session import lake_session
from lake.settings import Settings
from lake.stream_metrics import OBSERVED, StreamMetrics
from lake.termination import on_sigterm
from lake.transforms import to_events

_log = logging.getLogger(__name__)


def start(
    spark: SparkSession, settings: Settings, checkpoint: Checkpoint, failed: Callable[[Exception], None]
) -> StreamingQuery:
    """Start the query. An error that ends a batch is passed to `failed`, because Spark reports only its text."""
    records = (
        spark.readStream.format("kafka")
        .options(**settings.kafka_source())
        .option("subscribe", settings.kafka.topic)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
        .load()
    )
    rejected = F.count(F.when(F.col("family") == REJECTED, True))
    rows = to_events(records).observe(OBSERVED, F.count("*").alias("total"), rejected.alias("rejected"))

    def write(batch: DataFrame, batch_id: int) -> None:
        try:
            topic_writer.write(batch, settings, checkpoint.ranges(batch_id, settings.kafka.topic))
        except Exception as error:
            failed(error)
            raise

    return (
        rows.writeStream.foreachBatch(write)
        .trigger(processingTime=f"{settings.trigger_seconds} seconds")
        .option("checkpointLocation", checkpoint.location)
        .queryName(settings.kafka.topic)
        .start()
    )


def stop_after_batch(query: StreamingQuery, stop: threading.Event) -> None:
    """Wait for the event, then until the running batch is committed, and stop the query."""
    stop.wait()
    before = query.lastProgress
    while query.isActive and query.status["isTriggerActive"] and query.lastProgress == before:
        threading.Event().wait(0.05)
    query.stop()


def run(settings: Settings) -> None:
    """Run until SIGTERM; raise the error that ends the stream otherwise."""
    topic = Topic(settings)
    identity = topic.identity()
    spark = lake_session("stream", settings)
    # For a batch that has to merge: by default streams shuffle into 200 parts, whatever their size.
    spark.conf.set("spark.sql.shuffle.partitions", spark.sparkContext.defaultParallelism)
    stop = threading.Event()
    on_sigterm(spark, stop.set)
    checkpoint = Checkpoint(spark, settings.checkpoint_location)
    metrics = StreamMetrics(topic, checkpoint.position(settings.kafka.topic))
    with checkpoint.held(lost=stop.set):
        events_table.create(spark, settings)
        events_table.claim(spark, identity)
        spark.streams.addListener(metrics)
        metrics.serve(settings.metrics_host, settings.metrics_port)
        failures: list[Exception] = []
        query = start(spark, settings, checkpoint, failures.append)
        _log.info("streaming %s every %d s, from %s", topic.name, settings.trigger_seconds, checkpoint.location)
        threading.Thread(target=stop_after_batch, args=(query, stop), daemon=True).start()
        try:
            query.awaitTermination()
        except StreamingQueryException:
            if failures:
                raise failures[-1] from None
            raise
        # Its last events would be delivered after this Python process is gone.
        spark.streams.removeListener(metrics)
    _log.info("stopped")
