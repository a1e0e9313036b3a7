"""The Go collector writes what the API writes, and refuses what it refuses. Built here, before a mock broker."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from random import Random

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from game_api import create_app
from game_events import FIRST, decode
from game_events.event_ids import is_service_made
from testbed.bench import go_collector
from testbed.settings import HOST, Ports
from testbed.waiting import wait_until

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import MemoryLog

TOPIC = "events"
OWN = {"event_id", "received_at", "strength"}
"""The fields that differ from one request to the next."""

HEADERS = [
    {"Host": "Knight1.comcast.com.:8080", "User-Agent": "curl/8.14.1", "Accept": "*/*"},
    {"Host": "h", "X-Player": "Sir  Galahad", "User-Agent": "<é>&" + 600 * "a"},
    {"Host": "h", "Idempotency-Key": "mine", "User-Agent": "Go"},
]
REFUSED = [
    {"Host": "h", "User-Agent": "Slackbot 1.0"},
    {"Host": "h", "Sec-Purpose": "prefetch"},
    {"Host": "h", "X-Player": "a,b"},
    {"Host": "h", "X-Player": ""},
    {"Host": "h", "Idempotency-Key": "k" * 129},
    {"Host": "h", "Idempotency-Key": "01890000-0000-7000-a9d7-000000000000"},
    {"Host": "h", "User-Agent": b"\xff"},
]

pytestmark = pytest.mark.skipif(not shutil.which("go"), reason="builds a Go program")


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """The address of a mock broker."""
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    [found] = producer.list_topics(TOPIC, timeout=30).brokers.values()
    yield f"{found.host}:{found.port}"
    producer.flush(1)


@pytest.fixture(scope="module")
def port(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the collector."""
    folder = tmp_path_factory.mktemp("collector")
    program, contract = go_collector.build(folder), go_collector.write_contract(folder)
    assert "franz-go v1" in go_collector.versions(program)
    free = Ports.free().api
    environment = {"KAFKA_BOOTSTRAP_SERVERS": broker, "KAFKA_TOPIC": TOPIC, "KAFKA_PROTOCOL": "v2.3"}
    process = subprocess.Popen([program, f"{HOST}:{free}", contract], env=environment)
    try:
        wait_until("the collector", lambda: _listens(free))
        yield free
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def ask(port: int, path: str, headers: dict[str, str | bytes]) -> tuple[int, str]:
    connection = HTTPConnection(HOST, port, timeout=30)
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value if isinstance(value, bytes) else value.encode())
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.fixture(scope="module")
def consumer(broker: str) -> Iterator[Consumer]:
    found = Consumer({"bootstrap.servers": broker, "group.id": "test", "log_level": 0})
    yield found
    found.close()


def record(consumer: Consumer, partition: int, offset: int) -> tuple[bytes, bytes]:
    """Return the key and the value of a record."""
    consumer.assign([TopicPartition(TOPIC, partition, offset)])
    message = consumer.poll(30)
    assert message is not None
    assert message.error() is None
    return message.key(), message.value()


@pytest.mark.parametrize("headers", HEADERS)
def test_it_writes_the_event_that_the_api_writes(consumer: Consumer, port: int, headers: dict[str, str]) -> None:
    """Key, fields, their order and the answer are the API's; only time, id and chance differ."""
    for event_type in FIRST:
        log = MemoryLog()
        given = headers | {"Accept": "application/json"}
        latin = {name: value.encode().decode("latin-1") for name, value in given.items()}
        theirs = client_for(create_app(log, random=Random(1))).get(event_type.request, headers=latin)
        status, body = ask(port, event_type.request, given)
        assert (status, theirs.status_code) == (200, 200)
        answer = json.loads(body)
        assert answer["answer"] == theirs.json["answer"]
        key, value = record(consumer, answer["partition"], answer["offset"])
        written, [expected] = decode(value), log.records
        assert key == expected.key
        assert list(written) == list(decode(expected.value))
        assert _fixed(written) == _fixed(decode(expected.value))
        assert answer["event_id"] == written["event_id"]
        assert "Idempotency-Key" in headers or is_service_made(written["event_id"])


def _fixed(event: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in event.items() if name not in OWN}


@pytest.mark.parametrize("headers", REFUSED)
def test_it_refuses_what_the_api_refuses(port: int, headers: dict[str, str | bytes]) -> None:
    """Speculative requests and invalid headers have the same status, and unknown parameters are refused."""
    latin = {name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in headers.items()}
    theirs = client_for(create_app(MemoryLog(), random=Random(1))).get("/", headers=latin)
    assert ask(port, "/", headers)[0] == theirs.status_code
    assert theirs.status_code in (400, 403)


def test_it_is_alive_and_knows_only_the_actions(port: int) -> None:
    """Text is answered to clients that do not ask for JSON; other paths and parameters are refused."""
    assert ask(port, "/healthz", {"Host": "h"}) == (200, "alive")
    assert ask(port, "/", {"Host": "h"}) == (200, "This is the default response!")
    assert ask(port, "/unknown", {"Host": "h"})[0] == 404
    assert ask(port, "/?guild=knights", {"Host": "h"})[0] == 400
