"""The topic and the table, as a test fills and reads them."""

import os
import subprocess
from collections.abc import Iterable
from typing import Any

import psutil
import requests
from confluent_kafka import Producer
from local import answers, topic
from local.process import Program
from local.programs import hdfs_environment, spark_job
from local.settings import HOST, ROOT
from local.stack import Stack

Place = tuple[int, int]
"""Partition and offset."""


class Lake:
    """What lies in Kafka and what Trino answers."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._settings = stack.settings

    def write(self, values: Iterable[bytes | None], key: bytes = b"knight1") -> dict[Place, bytes | None]:
        """Write records to the topic and return where each one lies."""
        places: dict[Place, bytes | None] = {}
        producer = Producer({"bootstrap.servers": self._settings.bootstrap_servers, "message.max.bytes": 1_048_588})
        for value in values:
            producer.produce(
                self._settings.topic,
                value,
                key,
                on_delivery=lambda error, message, value=value: places.update(
                    {(message.partition(), message.offset()): value}
                ),
            )
            producer.poll(0)
        assert producer.flush(60) == 0
        return places

    def offsets(self) -> set[Place]:
        """Every offset that the topic has."""
        ends = topic.end_offsets(self._settings).items()
        return {(partition, offset) for partition, end in ends for offset in range(end)}

    def job(self, *arguments: str) -> str:
        """Run a Spark job to its end and return what it printed; StackError if it fails."""
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
        return answers.ask(self._settings, query)[1]

    def rows(self) -> list[list[Any]]:
        """Every row of the table, whole, in the order of partition and offset."""
        return self.ask("SELECT * FROM lake.default.events ORDER BY kafka_partition, kafka_offset")

    def count(self) -> int:
        return int(self.ask("SELECT count(*) FROM lake.default.events")[0][0])

    def places(self) -> list[Place]:
        """Every row's place in the topic, in order; a row that is there twice is here twice."""
        return [
            (partition, offset)
            for partition, offset in self.ask(
                "SELECT kafka_partition, kafka_offset FROM lake.default.events ORDER BY 1, 2"
            )
        ]

    def file_count(self) -> int:
        """How many files and folders HDFS has just now, those that are being written included."""
        # Of this bean only: the NameNode shows others as they were up to 10 s ago.
        bean = "Hadoop:service=NameNode,name=FSNamesystemState"
        answer = requests.get(f"http://{HOST}:{self._settings.ports.namenode_http}/jmx", {"qry": bean}, timeout=5)
        return int(answer.json()["beans"][0]["FilesTotal"])

    def files(self, folder: str) -> set[str]:
        """Every file under a folder of HDFS; none if there is no such folder."""
        listing = subprocess.run(
            [ROOT / "images/hdfs/run", "dfs", "-ls", "-R", "-C", folder],
            env=hdfs_environment(self._settings),
            capture_output=True,
            text=True,
            check=False,
        )
        return set(listing.stdout.split())
