"""The topic and the table: how tests write and read them."""

import os
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil
import requests
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)
from game_events.table import COLUMNS, COUNTS
from testbed.clients import sql, topic
from testbed.settings import HOST, ROOT
from testbed.stack.hdfs import hdfs_environment
from testbed.stack.process import Program
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

Place = tuple[int, int]
"""Partition and offset."""

Headers = Sequence[tuple[str, bytes | None]]

Record = tuple[bytes | None, bytes | None, Headers, int]
"""Key, value, headers, and the time in milliseconds since the epoch, 0 for now."""


class Lake:
    """Writes to Kafka, runs jobs, and queries Trino."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._settings = stack.settings
        self._admin = AdminClient({"bootstrap.servers": self._settings.bootstrap_servers, "log_level": 0})
        self._producer = self._new_producer()
        self._read: dict[int, int] = {}
        self._offsets: set[Place] = set()

    def write(self, values: Iterable[bytes | None], key: bytes | None = b"knight1") -> dict[Place, bytes | None]:
        """Write records to the topic, and return the value at each place."""
        places: dict[Place, bytes | None] = {}
        for value in values:
            self._producer.produce(
                self._settings.topic,
                value,
                key,
                on_delivery=lambda error, message, value=value: places.update(
                    {(message.partition(), message.offset()): value}
                ),
            )
            self._producer.poll(0)
        assert self._producer.flush(60) == 0
        return places

    def write_as_they_are(self, records: Iterable[Record]) -> dict[Place, Record]:
        """Write records with their own times to the topic, and return the record at each place."""
        places: dict[Place, Record] = {}
        with self._own_times():
            for record in records:
                key, value, headers, time = record
                self._producer.produce(
                    self._settings.topic,
                    value,
                    key,
                    headers=list(headers),
                    timestamp=time,
                    on_delivery=lambda _, message, record=record: places.update(
                        {(message.partition(), message.offset()): record}
                    ),
                )
                self._producer.poll(0)
            assert self._producer.flush(60) == 0
        return places

    @contextmanager
    def _own_times(self) -> Iterator[None]:
        """Let the topic keep the producers' timestamps, as a topic with Kafka's default settings does."""
        self._configure("message.timestamp.type", "CreateTime")
        try:
            yield
        finally:
            assert topic.ensure(self._settings)

    def _configure(self, name: str, value: str) -> None:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, self._settings.topic, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result()

    def add_partitions(self, total: int) -> None:
        """Raise the number of the topic's partitions to `total`."""
        name = self._settings.topic
        self._admin.create_partitions([NewPartitions(name, total)])[name].result()
        # The old one would notice them within minutes.
        self._producer = self._new_producer()

    def _new_producer(self) -> Producer:
        return Producer(
            {"bootstrap.servers": self._settings.bootstrap_servers, "message.max.bytes": 1_048_588, "log_level": 0}
        )

    def transact(self, values: Iterable[bytes], *, commit: bool) -> None:
        """Write records in one transaction; its marker is then the last offset of each partition."""
        producer = self._transaction(values)
        (producer.commit_transaction if commit else producer.abort_transaction)(60)

    @contextmanager
    def open_transaction(self, values: Iterable[bytes]) -> Iterator[None]:
        """Write records in a transaction that stays open during the block, and is aborted after it."""
        producer = self._transaction(values)
        try:
            yield
        finally:
            producer.abort_transaction(60)

    def _transaction(self, values: Iterable[bytes]) -> Producer:
        """Write the same records to each partition, in a transaction, and leave it open."""
        producer = Producer(
            {
                "bootstrap.servers": self._settings.bootstrap_servers,
                "transactional.id": uuid.uuid4().hex,
                "log_level": 0,
            }
        )
        producer.init_transactions(60)
        producer.begin_transaction()
        for partition in topic.end_offsets(self._settings):
            for value in values:
                producer.produce(self._settings.topic, value, b"knight1", partition)
        assert producer.flush(60) == 0
        return producer

    def offsets(self) -> set[Place]:
        """Return every offset that has had a record, except aborted ones."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._settings.bootstrap_servers,
                "group.id": "test",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        name = self._settings.topic
        partitions = set(consumer.list_topics(name, 10).topics[name].partitions)
        consumer.assign([TopicPartition(name, one, self._read.get(one, 0)) for one in partitions])
        while partitions:
            for message in consumer.consume(10_000, timeout=0.2):
                place = (message.partition() or 0, message.offset() or 0)
                self._read[place[0]] = place[1]
                if message.error():
                    partitions.discard(place[0])
                else:
                    self._read[place[0]] += 1
                    self._offsets.add(place)
        consumer.close()
        return set(self._offsets)

    def job(self, *arguments: str) -> str:
        """Run a Spark job to its end and return its output; raise StackError if it fails."""
        return self._stack.run(spark_job(self._settings, "job", *arguments))

    def start_job(self, *arguments: str) -> psutil.Popen:
        """Start a Spark job and return at once."""
        return self.start(spark_job(self._settings, "job", *arguments))

    def start(self, program: Program) -> psutil.Popen:
        """Start a program and return at once."""
        return psutil.Popen(
            program.command,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, query: str) -> list[list[Any]]:
        return sql.ask(self._settings, query)[1]

    def rows(self) -> list[list[Any]]:
        """Return every row of the table, with what its record determines, in the order of partition and offset."""
        columns = ", ".join(column.name for column in COLUMNS if column is not COUNTS)
        return self.ask(f"SELECT {columns} FROM lake.default.events ORDER BY kafka_partition, kafka_offset")

    def count(self) -> int:
        return int(self.ask("SELECT count(*) FROM lake.default.events")[0][0])

    def places(self) -> list[Place]:
        """Return every row's place in the topic, in order; a doubled row has its place twice."""
        return [
            (partition, offset)
            for partition, offset in self.ask(
                "SELECT kafka_partition, kafka_offset FROM lake.default.events ORDER BY 1, 2"
            )
        ]

    def file_count(self) -> int:
        """Count the files and folders on HDFS, including files that are being written."""
        # The NameNode caches other beans for up to 10 s.
        return int(_bean(self._settings.ports.namenode_http, "NameNode,name=FSNamesystemState")["FilesTotal"])

    def datanode_activity(self) -> dict[str, Any]:
        """Return the DataNode's counters since its start."""
        return _bean(self._settings.ports.datanode_http, "DataNode,name=DataNodeActivity*")

    def files(self, folder: str) -> set[str]:
        """Return every file under a folder on HDFS; none if it does not exist."""
        listing = subprocess.run(
            [ROOT / "images/hdfs/run", "dfs", "-ls", "-R", "-C", folder],
            env=hdfs_environment(self._settings),
            capture_output=True,
            text=True,
            check=False,
        )
        return set(listing.stdout.split())


def _bean(port: int, name: str) -> dict[str, Any]:
    """Return the attributes of a server's JMX bean."""
    answer = requests.get(f"http://{HOST}:{port}/jmx", {"qry": f"Hadoop:service={name}"}, timeout=60)
    [bean] = answer.json()["beans"]
    return dict(bean)
