"""The API's data path: every answered event is in Kafka."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
import requests
from game_events import FIRST, EventType, validate
from game_events.names import normal
from testbed.waiting import wait_until

from tests.local.game import PLAYER, UNHURRIED, Game, frozen, running_game


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with running_game(tmp_path_factory.mktemp("game")) as game:
        yield game


def raw(game: Game, *lines: bytes, body: bytes = b"") -> str:
    """Send exactly these lines and return the whole response."""
    with socket.create_connection(("127.0.0.1", game.port), timeout=60) as client:
        client.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body)
        parts = []
        while part := client.recv(65536):
            parts.append(part)
        return b"".join(parts).decode()


def connected(game: Game) -> HTTPConnection:
    """Return a kept-alive connection that has had some responses."""
    client = HTTPConnection("127.0.0.1", game.port, timeout=60)
    for _ in range(3):
        client.request("GET", "/")
        assert client.getresponse().read()
    return client


@pytest.mark.parametrize("action", FIRST, ids=lambda action: action.name)
def test_an_answered_action_is_in_kafka(game: Game, action: EventType):
    """The event is at the response's partition and offset, valid and keyed by its player."""
    answer = game.ask(action.request, headers={"User-Agent": "curl/8.14.1"})
    assert (answer.status, answer.json["answer"]) == (200, action.result.answer)
    key, event = game.record(answer.json["partition"], answer.json["offset"])
    validate(event)
    assert key == PLAYER.encode()
    assert event["event_id"] == answer.json["event_id"]
    assert event["event_type"] == action.name
    assert event.get("description", "") == action.description
    assert (event["player"], event["host"], event["user_agent"]) == (PLAYER, PLAYER, "curl/8.14.1")


def test_only_2xx_responses_write_events(game: Game):
    """An unknown path, an invalid value, another method and an invalid body leave the topic unchanged."""
    before = game.ends()
    assert game.ask("/nowhere").status == 404
    assert game.ask("/join_a_guild?guild=").status == 400
    assert game.ask("/purchase_a_sword", "HEAD").status == 405
    assert game.ask("/purchase_a_sword", "DELETE").status == 405
    assert game.ask("/events", "POST", data="[]").status == 415
    assert game.ask("/events", "POST", json=[{"event_type": "purchase_sword"}]).status == 400
    assert game.ends() == before


@pytest.mark.parametrize("action", FIRST, ids=lambda action: action.name)
def test_version_1_writes_the_same(game: Game, action: EventType):
    """An action of version 1 is in Kafka, and its receipt has its place there."""
    key = f"v1-{action.name}"
    answer = game.ask(f"/v1/actions/{action.name}", "POST", headers={"Idempotency-Key": key})
    assert (answer.status, answer.json["answer"]) == (200, action.result.answer)
    place = {name: answer.json[name] for name in ("partition", "offset")}
    _, event = game.record(**place)
    validate(event)
    assert {name: event.get(name) for name in answer.json["fields"]} == answer.json["fields"]
    # Nobody waits for the store to note the place.
    records = wait_until("the receipt", lambda: game.ask(f"/v1/events/{key}").json["kafka"].get("records"))
    assert records == [{"event_type": action.name, **place}]


@pytest.mark.parametrize("path", ["/purchase_a_sword", "/events", "/v1/actions/purchase_sword", "/v1/events"])
def test_records_carry_the_trace(game: Game, path: str):
    """The record has the request's trace as headers, and no others; without a trace it has none."""
    trace = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "congo=t61rcWkgMzE",
    }
    is_bulk = path.endswith("/events")
    body = [{"event_type": "purchase_sword", "strength": 3}] if is_bulk else {}
    for headers in (trace, {"traceparent": "00-1-2-3", "tracestate": "congo=1"}, {}):
        answer = game.ask(path, "POST", json=body, headers={**headers, "baggage": "a=b"}).json
        place = answer["results"][0] if is_bulk else answer
        expected = {name: value.encode() for name, value in trace.items()} if headers == trace else {}
        assert game.headers(place["partition"], place["offset"]) == expected


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"GET /v1/" + b"x" * 9000 + b" HTTP/1.1", b"Host: a"], 414),
        ([b"GET /v1/me HTTP/9.1", b"Host: a"], 505),
        ([b"POST /v1/actions/default HTTP/1.1", b"Host: a", b"Content-Length: 2000000"], 413),
        ([b"POST /v1/events HTTP/1.1", b"Host: a", b"Transfer-Encoding: chunked", b"Expect: chunks"], 417),
    ],
    ids=["a long path", "another version", "a large body", "an expectation"],
)
def test_version_1_has_problems_of_http_too(game: Game, lines: list[bytes], status: int):
    """A request of version 1 that is refused before it is read gets a problem details object as well."""
    head, _, body = raw(game, *lines).partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert "\r\nContent-Type: application/problem+json\r\n" in head
    assert json.loads(body)["status"] == status


def test_secrets_are_never_stored(game: Game):
    """Credentials in a request do not reach Kafka."""
    headers = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Api-Key": "s3cret"}
    answer = game.ask("/", headers=headers)
    _, event = game.record(answer.json["partition"], answer.json["offset"])
    assert "s3cret" not in json.dumps(event)


def test_headers_in_any_script_and_of_eight_kilobytes(game: Game):
    """UTF-8 headers of up to 8 KB are accepted; an event has their first 512 characters."""
    player = "Jeanne d'Arc née à Domrémy 🛡"
    agent = "u" * 8192
    answer = game.ask("/", headers={"X-Player": player.encode(), "User-Agent": agent})
    assert answer.status == 200
    key, event = game.record(answer.json["partition"], answer.json["offset"])
    assert (key.decode(), event["player"], event["user_agent"]) == (normal(player), normal(player), agent[:512])
    assert event["player_name"] == player


def test_a_longer_header_is_refused(game: Game):
    """A header value that is too long for an event is a 4xx, from gunicorn or from the application."""
    assert game.ask("/", headers={"User-Agent": "u" * 8193}).status in (400, 431)
    assert game.ask("/", headers={"User-Agent": "u" * 20_000}).status in (400, 431)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([b"Host: a", b"hOST: b"], "HOST"),
        ([b"Host: a", b"X-Player: p", b"x-pLAYER: q"], "X-Player"),
        ([b"Host: a", b"Idempotency-Key: p", b"IDEMPOTENCY-KEY: p"], "Idempotency-Key"),
        ([b"Host: a", b"User-Agent: caf\xe9"], "User-Agent"),
        ([b"Host: a", b"User-Agent: a\rb"], "USER-AGENT"),
        ([b"Host: a", b"User-Agent: a\x00b"], "USER-AGENT"),
        ([b"X-Nothing: a"], "Host"),
    ],
)
def test_an_invalid_header_is_a_400_that_names_it(game: Game, lines: list[bytes], named: str):
    """A header that is repeated, has control characters or is not UTF-8 is refused, and nothing is written."""
    before = game.ends()
    answer = raw(game, b"GET / HTTP/1.1", *lines)
    assert answer.startswith("HTTP/1.1 400")
    assert named in answer
    assert game.ends() == before


def test_http_1_0_clients_are_served(game: Game):
    """A client that uses HTTP/1.0, such as ab, gets a response."""
    assert raw(game, b"GET /declare_peace HTTP/1.0", b"Host: user1.comcast.com").endswith("\r\n\r\nPeace Declared!")


@pytest.mark.parametrize(
    ("size", "framing"), [(1_100_000, b"Content-Length: 1100000"), (0, b"Transfer-Encoding: chunked")]
)
def test_a_body_that_is_too_large_is_a_413(game: Game, size: int, framing: bytes):
    """A body over 1 MiB is refused, even if its length is not announced."""
    chunks = b"".join(b"10000\r\n" + b" " * 0x10000 + b"\r\n" for _ in range(17)) + b"0\r\n\r\n"
    request = [b"POST /events HTTP/1.1", b"Host: a", b"Content-Type: application/json", framing]
    assert raw(game, *request, body=b" " * size or chunks).startswith("HTTP/1.1 413")


def test_bulk_results_have_the_events_positions(game: Game):
    """Of a mixed list, only the valid events are in Kafka, at the positions in their results."""
    before = sum(game.ends().values())
    items = [
        {"event_type": "join_guild", "guild": f"guild {i}", "player": f"p{i}", "event_id": f"e{i}"} for i in range(50)
    ]
    items[7] = {"event_type": "join_guild", "gilde": "x"}
    answer = game.ask("/events", "POST", json=items)
    results = answer.json["results"]
    assert answer.status == 207
    assert (results[7]["status"], results[7]["field"]) == (400, "gilde")
    for item, result in [pair for pair in zip(items, results, strict=True) if pair[1]["status"] == 200]:
        key, event = game.record(result["partition"], result["offset"])
        assert item.items() <= event.items()
        assert (key.decode(), event["idempotent"], event["host"]) == (item["player"], True, PLAYER)
    assert sum(game.ends().values()) == before + 49


def test_large_bulk_requests_of_many_clients_are_all_written(game: Game):
    """32 clients may send the largest bulk request to one worker at the same time."""
    items = [{"event_type": "purchase_sword", "strength": 5, "description": "large sword"}] * 1000
    with game.another_api(**UNHURRIED, WEB_CONCURRENCY="1", API_PLAYER_RATE="0", API_ADDRESS_RATE="0"):
        before = sum(game.ends().values())
        answers = game.ask_at_once("/events", 32, method="POST", json=items)
        assert {answer.status for answer in answers} == {200}
        assert sum(game.ends().values()) == before + 32_000


def test_long_headers_do_not_fill_the_queue(game: Game):
    """Clients with headers of the maximum length are served at the same time."""
    headers = {"User-Agent": "u" * 8000, "Accept": "application/json, " + "a" * 8000}
    with game.another_api(**UNHURRIED, WEB_CONCURRENCY="1", API_PLAYER_RATE="0", API_ADDRESS_RATE="0"):
        answers = game.ask_at_once(
            "/events", 12, method="POST", json=[{"event_type": "default"}] * 1000, headers=headers
        )
        assert {answer.status for answer in answers} == {200}


def test_many_kept_connections_are_all_answered(game: Game):
    """Busy and idle kept-alive connections do not delay other clients."""
    with (
        game.another_api(WEB_CONCURRENCY="1", API_THREADS="2"),
        ThreadPoolExecutor(6) as pool,
        socket.create_connection(("127.0.0.1", game.port)),
    ):

        def slowest(asked: int) -> float:
            with requests.Session() as client:
                answers = [client.get(game.url, timeout=60) for _ in range(asked)]
            assert {answer.status_code for answer in answers} == {200}
            return max(answer.elapsed.total_seconds() for answer in answers)

        assert max(pool.map(slowest, [50] * 6)) < 15


def test_an_idle_connection_is_closed(game: Game):
    """A connection without a request for the keep-alive time is closed."""
    with game.another_api(API_KEEPALIVE_SECONDS="3"):
        began = time.monotonic()
        client = connected(game)
        assert client.sock.recv(1) == b""
        # The time counts from the last response. By default it is 65 s.
        assert 3 <= time.monotonic() - began < 60


def test_open_connections_do_not_delay_a_stop(game: Game):
    """After SIGTERM the API does not wait for idle clients."""
    with game.another_api(**UNHURRIED):
        clients = [connected(game) for _ in range(4)]
        began = time.monotonic()
        game.api.stop()
        # The graceful timeout is 48 s.
        assert time.monotonic() - began < 25
        assert all(client.sock.recv(1) == b"" for client in clients)


def test_the_admin_port_is_another_one(game: Game):
    """Each worker answers operators by one port and players by the other."""
    for path, is_public in (("/healthz", True), ("/readyz", False), ("/metrics", False), ("/dashboard", False)):
        assert {one.status for one in game.ask_at_once(path, 20, is_admin=True)} == {200}
        assert {one.status for one in game.ask_at_once(path, 20)} == {200 if is_public else 404}
    assert {one.status for one in game.ask_at_once("/purchase_a_sword", 20, is_admin=True)} == {404}


def test_workers_that_are_starting_stop(game: Game):
    """SIGTERM stops workers that still wait for Kafka, long before the graceful timeout."""
    with game.another_api(**UNHURRIED), frozen(game.kafka):
        game.api.stop()
        game.api.start()
        wait_until("a worker", game.workers, pause=0.01)
        began = time.monotonic()
        game.api.stop()
        # The graceful timeout is 48 s.
        assert time.monotonic() - began < 25


def test_metrics_add_up_over_the_workers(game: Game):
    """The metrics count each request of every worker once, even after a worker has died."""

    def acked() -> float:
        lines = game.ask("/metrics", is_admin=True).text.splitlines()
        return sum(
            float(line.split()[-1])
            for line in lines
            if line.startswith('game_api_events_total{event_type="declare_war"')
        )

    before = acked()
    assert {answer.status for answer in game.ask_at_once("/declare_a_war", 60)} == {200}
    assert acked() == before + 60
    game.workers()[0].kill()
    assert acked() == before + 60
