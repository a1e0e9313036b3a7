"""Kafka Connect with Iceberg's sink: the peer of the stream, which writes the same topic into a table of its own."""

import json
import urllib.error
import urllib.request
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from lake.session import QUICK_CLOSE
from lake.settings import FILE_SYSTEM

from testbed.bench.jobs import run_job
from testbed.settings import HOST, ROOT, Ports
from testbed.stack import jdk, parts, probes
from testbed.stack.process import Process, Program
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

TABLE = "lake.default.connect_events"
PART = "kafka-connect"
DEFAULT_SECONDS = 300
"""Between two commits of the sink, by its default."""
_NAME = "sink"
_CONTROL_TOPIC = "control-iceberg"
_TABLE_JOB = "../hack/testbed/bench/sink_table_job.py"
_PATIENCE = 300
# A new sink begins with the records that are in the topic, and a new coordinator with the tasks' answers.
_EARLIEST = {"consumer.override.auto.offset.reset": "earliest", "iceberg.kafka.auto.offset.reset": "earliest"}


class KafkaConnect:
    """A worker and its sink. The worker keeps the sink in Kafka: a worker that is started again resumes it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._port = Ports.free().api
        self.process = Process(self._program(), stack.settings)
        parts.fetch_missing(stack.settings, (PART,))

    def prepare(self) -> None:
        """Create the table, which is like ours in all but its name, and the topic by which the sink's tasks agree."""
        run_job(self._stack, "sink-table", _TABLE_JOB, TABLE, "/lake/connect_events")
        admin = AdminClient({"bootstrap.servers": self._stack.settings.bootstrap_servers})
        admin.create_topics([NewTopic(_CONTROL_TOPIC, 1, 1)])[_CONTROL_TOPIC].result(30)

    def start(self) -> None:
        """Start the worker, and wait until it answers; it resumes a sink that was not deleted."""
        self.process.start()
        wait_until("Kafka Connect", self.answers, _PATIENCE)

    def create_sink(self, interval: int) -> None:
        """Begin to load; `interval` is the seconds between two commits."""
        self._request("PUT", f"/connectors/{_NAME}/config", self._configuration(interval))
        wait_until("the sink's tasks", lambda: set(self._states()) == {"RUNNING"}, _PATIENCE)

    def stop(self) -> None:
        """Delete the sink, whose offsets stay in Kafka, and stop the worker."""
        self._request("DELETE", f"/connectors/{_NAME}")
        wait_until("the sink's end", lambda: not self._request("GET", "/connectors"), _PATIENCE)
        self.process.stop()

    def restart_failed(self) -> int:
        """Restart the tasks that have failed, as operators of Kafka Connect do, and return their number."""
        try:
            failed = self._states().count("FAILED")
            if failed:
                self._request("POST", f"/connectors/{_NAME}/restart?includeTasks=true&onlyFailed=true", {})
        except OSError:
            return 0
        return failed

    def answers(self) -> bool:
        """Tell whether the worker has joined its group: before that, it knows no connectors."""
        try:
            self._request("GET", "/connectors")
        except OSError:
            return False
        return self.process.alive

    def _states(self) -> list[str]:
        try:
            status = self._request("GET", f"/connectors/{_NAME}/status")
        except urllib.error.HTTPError:
            return []
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def _request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 as json.loads
        request = urllib.request.Request(
            f"http://{HOST}:{self._port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def _configuration(self, interval: int) -> dict[str, str]:
        settings = self._stack.settings
        return {
            "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
            # More would have no partition to read.
            "tasks.max": str(settings.partitions),
            "topics": settings.topic,
            **_EARLIEST,
            # Adds kafka_partition, kafka_offset and kafka_timestamp.
            "transforms": "place",
            "transforms.place.type": "org.apache.iceberg.connect.transforms.KafkaMetadataTransform",
            "transforms.place.field_name": "kafka",
            "iceberg.tables": TABLE.removeprefix("lake."),
            "iceberg.control.topic": _CONTROL_TOPIC,
            "iceberg.control.commit.interval-ms": str(interval * 1000),
            "iceberg.kafka.bootstrap.servers": settings.bootstrap_servers,
            "iceberg.catalog.type": "hive",
            "iceberg.catalog.uri": settings.metastore_uri,
            "iceberg.catalog.warehouse": f"{FILE_SYSTEM}/warehouse",
            "iceberg.hadoop-conf-dir": str(settings.hdfs_client),
            **{f"iceberg.hadoop.{name}": value for name, value in QUICK_CLOSE.items()},
        }

    def _program(self) -> Program:
        settings = self._stack.settings
        return Program(
            PART,
            [str(ROOT / "hack/testbed/bench" / PART / "run")],
            {
                "JAVA_HOME": str(jdk.find("Kafka Connect", 17, 21)),
                "CONNECT_HOME": str(parts.path(settings, PART)),
                "CONNECT_HOST": HOST,
                "CONNECT_PORT": str(self._port),
                "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
            },
            probe=lambda: probes.listens(self._port),
            parts=(PART,),
        )
