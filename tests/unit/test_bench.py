from random import Random

import pytest
from bench import traffic
from bench.load import Answer, parse, percentile
from bench.report import Row, table
from game_api import create_app
from game_events import decode

from tests.unit.memory_log import MemoryLog


def test_records_are_valid_events_of_their_own() -> None:
    """What the bare producer and the batch job get is what the API would write."""
    records = list(traffic.records(2345))
    events = [decode(value) for _, value in records]
    assert len({event["event_id"] for event in events}) == 2345
    assert all(event["player"].encode() == key for (key, _), event in zip(records, events, strict=True))
    assert len({event["event_type"] for event in events}) == len(traffic.examples())


@pytest.mark.parametrize("request_", [*traffic.single_requests()[:7], traffic.bulk_requests(100)[1]])
def test_the_api_accepts_what_it_is_loaded_with(request_: bytes) -> None:
    """Every request of the load generator is answered with 200."""
    head, _, body = request_.decode().partition("\r\n\r\n")
    line, *headers = head.split("\r\n")
    method, path, _ = line.split(" ")
    log = MemoryLog()
    client = create_app(log, Random(1)).test_client()
    answer = client.open(path, method=method, headers=[header.split(": ", 1) for header in headers], data=body)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("received", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Answer(200, closes=False)),
        (b"HTTP/1.1 503 Away\r\ncontent-length:0\r\nConnection: close\r\n\r\n", Answer(503, closes=True)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
    ],
)
def test_an_answer_is_read_when_it_is_whole(received: bytes, answer: Answer | None) -> None:
    assert parse(received) == answer


def test_percentiles_are_values_that_were_measured() -> None:
    times = [float(one) for one in range(1, 201)]
    assert (percentile(times, 0.5), percentile(times, 0.99), percentile([7.0], 0.99)) == (100, 198, 7)


def test_a_missed_reach_is_said() -> None:
    rows = table([Row("speed", "3", "2", "1.50", "at least 2x", reached=False), Row("memory", "1")])
    assert "| at least 2x: **missed** |" in rows
    assert "| memory | 1 |  |  |  |" in rows
