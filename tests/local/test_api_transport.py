"""The API's transport: slow clients and malformed requests."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.local.game import Game, running_game


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with running_game(tmp_path_factory.mktemp("game")) as game:
        yield game


def answer_to(game: Game, request: bytes, seconds: float = 60) -> tuple[int, str, str]:
    """Send these bytes; return status, headers and body of the response once the server closes the connection."""
    with socket.create_connection(("127.0.0.1", game.port), timeout=seconds) as client:
        client.sendall(request)
        return whole_answer(client)


def whole_answer(client: socket.socket) -> tuple[int, str, str]:
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    head, _, body = b"".join(parts).decode().partition("\r\n\r\n")
    return int(head.split()[1]), head, body


def counted(game: Game, status: int) -> float:
    """Return how many requests without a known path got this status."""
    pattern = rf'^game_api_requests_total\{{action="unknown",status="{status}"\}} (\S+)$'
    return sum(float(value) for value in re.findall(pattern, game.ask("/metrics", is_admin=True).text, re.MULTILINE))


HALF_A_HEADER = b"GET / HTTP/1.1\r\nHost: a\r\n"
HALF_A_BODY = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[]"


@pytest.mark.parametrize("half", [HALF_A_HEADER, HALF_A_BODY, b""], ids=["headers", "body", "nothing"])
def test_incomplete_requests_do_not_block_other_clients(game: Game, half: bytes):
    """Despite 160 clients with incomplete requests, others get a response long before those reach their time limit."""
    limits = {"API_HEADER_TIMEOUT_SECONDS": "60", "API_BODY_TIMEOUT_SECONDS": "60"}
    with game.another_api(**limits), ExitStack() as stack:
        for _ in range(160):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", game.port)))
            client.sendall(half)
        began = time.monotonic()
        assert game.ask("/healthz").status == 200
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(("half", "part"), [(HALF_A_HEADER, "headers"), (HALF_A_BODY, "body")])
def test_slow_bytes_do_not_extend_the_deadline(game: Game, half: bytes, part: str):
    """A client that sends single bytes gets a 408 at the time limit, and its connection is closed."""
    limits = {"API_HEADER_TIMEOUT_SECONDS": "1", "API_BODY_TIMEOUT_SECONDS": "1"}
    with game.another_api(**limits), socket.create_connection(("127.0.0.1", game.port), timeout=0.2) as client:
        began = time.monotonic()
        client.sendall(half)
        answer = b""
        while b"\n\n" not in answer.replace(b"\r", b"")[:-1]:
            assert time.monotonic() - began < 60
            client.sendall(b"x")
            try:
                answer += client.recv(65536)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"Connection: close" in answer
        assert part in answer.decode().rpartition("\r\n\r\n")[2]


def test_a_client_that_does_not_read_does_not_hold_up_others(game: Game):
    """Clients that do not read their large responses are disconnected, and others get theirs."""
    limits = {"WEB_CONCURRENCY": "1", "API_THREADS": "2", "API_BODY_TIMEOUT_SECONDS": "1"}
    with game.another_api(**limits), ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", game.port))
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
        assert game.ask("/healthz").status == 200


def test_clients_that_do_not_close_do_not_delay_others(game: Game):
    """Clients that keep their side of a closed connection open do not delay other clients."""
    with game.another_api(WEB_CONCURRENCY="1"), ExitStack() as stack:
        for _ in range(10):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", game.port), timeout=60))
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert client.recv(1)
        began = time.monotonic()
        assert game.ask("/healthz").status == 200
        assert time.monotonic() - began < 10


WRONG = {
    "raw UTF-8 in the path": ("GET /é HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 400, "request line"),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "CONTENT-LENGTH",
    ),
    "a line that is too long": (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "request line"),
    "a header that is too long": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431, "headers"),
    "a header's name with a space": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "Host "),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, "X"),
    "a method in lower case": (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "method"),
    "an unknown version": (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505, "version"),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "request line"),
    "another coding than chunked": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        501,
        "Transfer-Encoding",
    ),
    "an expectation": (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: luck\r\n\r\n", 417, "Expect"),
}


@pytest.mark.parametrize(("request_bytes", "status", "field"), WRONG.values(), ids=WRONG.keys())
def test_malformed_requests_get_the_usual_errors(game: Game, request_bytes: bytes, status: int, field: str):
    """A malformed request gets an error as text or JSON, is counted, and writes nothing."""
    before, ends = counted(game, status), game.ends()
    answered, head, body = answer_to(game, request_bytes)
    assert answered == status, body
    assert "Content-Type: text/plain" in head
    assert "Cache-Control: no-store" in head
    assert body.endswith("\n")
    assert body.startswith(f"{field}: ")
    first, _, rest = request_bytes.partition(b"\r\n")
    answered, head, body = answer_to(game, first + b"\r\nAccept: application/json\r\n" + rest)
    if b"x" * 9000 not in first:
        assert "Content-Type: application/json" in head
        assert json.loads(body)["field"] == field
    assert answered == status
    assert counted(game, status) == before + 2
    assert game.ends() == ends


@pytest.mark.parametrize(
    "body",
    [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}xx0\r\n\r\n", b"2;=\r\n{}\r\n0\r\n\r\n"],
    ids=["size", "end", "extension"],
)
def test_malformed_chunks_are_a_400(game: Game, body: bytes):
    """A body with malformed chunks is a client error, not a server error."""
    ends = game.ends()
    head = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    status, _, text = answer_to(game, head + body)
    assert (status, "body" in text) == (400, True)
    assert game.ends() == ends


def test_a_body_that_ends_early_is_a_400(game: Game):
    """If the connection ends in the middle of a body, the received part is not processed."""
    ends = game.ends()
    with socket.create_connection(("127.0.0.1", game.port), timeout=60) as client:
        head = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        client.sendall(head + b'[{"event_type":"default"}]')
        client.shutdown(socket.SHUT_WR)
        assert whole_answer(client)[0] == 400
    assert game.ends() == ends


@pytest.mark.parametrize(
    "lines",
    [b"SCRIPT_NAME: /x", b"PATH_INFO: /nowhere", b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off"],
    ids=["script name", "path", "scheme"],
)
def test_headers_for_gateways_are_ignored(game: Game, lines: bytes):
    """A client cannot change the path or the scheme with headers for gateways."""
    request = b"GET /declare_peace HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + lines + b"\r\n\r\n"
    status, _, body = answer_to(game, request)
    assert (status, body) == (200, "Peace Declared!")
