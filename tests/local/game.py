"""Kafka, the API and the world as real processes, and what tests do with them."""

import json
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import requests
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from game_events import SCHEMA_VERSION, encode
from testbed.clients.topic import end_offsets
from testbed.settings import Settings
from testbed.stack.process import Process
from testbed.stack.stack import Stack
from testbed.waiting import wait_until

PLAYER = "knight1.comcast.com"

UNHURRIED = {"KAFKA_DELIVERY_TIMEOUT_MS": "20000", "API_BODY_TIMEOUT_SECONDS": "60"}
"""Limits of the API that a slow machine does not reach."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def json(self) -> Any:  # noqa: ANN401 JSON
        return json.loads(self.text)


@contextmanager
def frozen(process: Process) -> Iterator[None]:
    """Stop a server meanwhile; its connections stay open."""
    process.signal(signal.SIGSTOP)
    try:
        wait_until("the server to stand still", lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        yield
    finally:
        process.signal(signal.SIGCONT)


class Game:
    """The servers under test."""

    def __init__(self, stack: Stack) -> None:
        self.kafka = stack["kafka"]
        self.api = stack["api"]
        self.store = stack["store"]
        self.world = stack["world"]
        self.url = stack.settings.api_url
        self.admin_url = stack.settings.admin_url
        self.port = stack.settings.ports.api
        self.settings = stack.settings

    def ask(
        self,
        path: str,
        method: str = "GET",
        is_admin: bool = False,
        **options: Any,  # noqa: ANN401 what requests takes
    ) -> Answer:
        """Send one request, from PLAYER unless `headers` say otherwise, accepting JSON."""
        url = self.admin_url if is_admin else self.url
        headers = {"Host": PLAYER, "Accept": "application/json", **options.pop("headers", {})}
        answer = requests.request(method, url + path, headers=headers, timeout=60, **options)
        return Answer(answer.status_code, dict(answer.headers), answer.text, answer.elapsed.total_seconds())

    def ask_at_once(self, path: str, clients: int, **options: Any) -> list[Answer]:  # noqa: ANN401 what `ask` takes
        with ThreadPoolExecutor(clients) as pool:
            return list(pool.map(lambda _: self.ask(path, **options), range(clients)))

    def await_workers(self, status: int) -> None:
        """Wait until the readiness of all workers has this status: a hundred times, because any worker may answer."""

        def have() -> bool:
            return all(
                {one.status for one in self.ask_at_once("/readyz", 20, is_admin=True)} == {status} for _ in range(5)
            )

        wait_until(f"all workers to answer {status}", have)

    def ends(self) -> dict[int, int]:
        """Each partition's end offset."""
        return end_offsets(self.settings)

    def record(self, partition: int, offset: int) -> tuple[bytes, dict[str, Any]]:
        """Read the key and the event at an offset."""
        message = self._message(partition, offset)
        return message.key() or b"", json.loads(message.value() or b"")

    def headers(self, partition: int, offset: int) -> dict[str, Any]:
        """Read the headers of the record at an offset."""
        return dict(self._message(partition, offset).headers() or ())

    def _message(self, partition: int, offset: int) -> Message:
        with self._consumer() as consumer:
            consumer.assign([TopicPartition(self.settings.topic, partition, offset)])
            message = consumer.poll(60)
            assert message is not None, f"nothing at {partition}:{offset}"
            assert (message.partition(), message.offset(), message.error()) == (partition, offset, None)
            return message

    def event_ids(self) -> list[str]:
        """The id of every event of the topic."""
        return [event["event_id"] for event in self.events()]

    def events(self) -> list[dict[str, Any]]:
        """Every event of the topic, each partition's in order."""
        events = []
        left = {partition for partition, end in self.ends().items() if end}
        with self._consumer() as consumer:
            consumer.assign([TopicPartition(self.settings.topic, partition, 0) for partition in left])
            while left:
                for message in consumer.consume(1000, timeout=5):
                    if message.error():
                        # The last offsets may hold no record.
                        assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                        left.discard(message.partition() or 0)
                    else:
                        events.append(json.loads(message.value() or b""))
        return events

    def write(self, *events: Mapping[str, Any]) -> None:
        """Write events as another writer does."""
        producer = Producer({"bootstrap.servers": self.settings.bootstrap_servers})
        for event in events:
            value = encode({"schema_version": SCHEMA_VERSION, "received_at": 1_700_000_000_000, **event})
            producer.produce(self.settings.topic, value, event["player"].encode())
        assert producer.flush(60) == 0

    def is_ready(self) -> bool:
        try:
            return self.ask("/readyz", is_admin=True).status == 200
        except requests.ConnectionError:
            return False

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.api.pid).children()

    @contextmanager
    def another_api(self, *arguments: str, **environment: str) -> Iterator[None]:
        """Run the API with other arguments or settings meanwhile."""
        usual = self.api
        usual.stop()
        program = usual.program
        self.api = Process(
            replace(
                program,
                command=[*program.command, *arguments],
                environment={**program.environment, **environment},
            ),
            self.settings,
        )
        self.api.start()
        try:
            wait_until("the other API", self.is_ready)
            yield
        finally:
            self.api.stop()
            self.api = usual
            usual.start()
            wait_until("the usual API", self.is_ready)

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        servers = self.settings.bootstrap_servers
        consumer = Consumer({"bootstrap.servers": servers, "group.id": "test", "enable.partition.eof": True})
        try:
            yield consumer
        finally:
            consumer.close()


@contextmanager
def running_game(data: Path) -> Iterator[Game]:
    # Tests that lose the store find a snapshot that is somewhat old.
    stack = Stack(replace(Settings.isolated(data), snapshot_seconds=10))
    stack.up(["kafka", "store", "api", "world"])
    try:
        yield Game(stack)
    finally:
        stack.down()
