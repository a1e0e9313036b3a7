"""The front: a client's connection, and the limits that many clients share."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from socket import SO_LINGER, SOL_SOCKET
from threading import Event

import pytest
from game_api import create_app
from game_api.front.access_log import FORMAT
from game_api.front.connection import Connection
from game_api.front.front import Front
from game_api.identity.identity import Identity
from game_api.identity.player_tokens import new_secret
from game_api.identity.settings import IdentitySettings
from game_api.log.event_log import Receipt, Record
from game_api.pages import site
from game_api.request import Request
from game_api.service import Service
from game_api.settings import Settings
from game_api.trace_context import Headers
from game_settings.logs import LogSettings, formatter
from gunicorn.config import Config
from gunicorn.glogging import Logger

from tests.unit.game_api.client import run
from tests.unit.game_api.memory_log import MemoryLog

HEAD = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
ITEM = b'[{"event_type":"default"}]'


class SlowLog(MemoryLog):
    """Acknowledges records only after `acknowledge` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.acknowledge = asyncio.Event()

    async def append(self, records: Sequence[Record], late: float = 0.0, headers: Headers = ()) -> list[Receipt]:
        await self.acknowledge.wait()
        return await super().append(records, late, headers)


@asynccontextmanager
async def served(
    service: Service, log: Logger | None = None, is_admin: bool = False, **settings: int
) -> AsyncIterator[int]:
    """Serve on the yielded port meanwhile, as the players' port or the admin port."""
    loop = asyncio.get_running_loop()
    front = Front(service, Config(), replace(Settings(), **settings), loop, log)
    server = await loop.create_server(partial(Connection, front, is_admin), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        front.stop()


async def answers(port: int, number: int, *parts: bytes) -> list[bytes]:
    """Send parts of requests one after the other, and return so many responses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.02)
    found = []
    for _ in range(number):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
        found.append(head + await reader.readexactly(length))
    writer.close()
    return found


def test_requests_on_one_connection_are_answered_in_order() -> None:
    """Requests may be sent together or in parts: each is answered, in their order."""
    log = MemoryLog()
    item = HEAD + b"Content-Length: %d\r\n\r\n" % len(ITEM) + ITEM
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(ITEM) + ITEM + b"\r\n0\r\n\r\n"
    sent = item + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + chunked + b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"

    async def ask(*parts: bytes) -> list[int]:
        async with served(create_app(log)) as port:
            return [int(answer.split()[1]) for answer in await answers(port, 4, *parts)]

    assert run(ask(sent)) == [200, 200, 200, 404]
    assert run(ask(*[sent[start : start + 7] for start in range(0, len(sent), 7)])) == [200, 200, 200, 404]
    assert len(log.records) == 4


def test_a_kept_connection_takes_large_bodies() -> None:
    """One connection takes many bodies of hundreds of kilobytes, also those that are sent before the answer."""
    log = MemoryLog()
    body = b"[" + b" " * 300_000 + ITEM[1:]

    async def ask() -> list[bytes]:
        # Each body is in memory only until its answer.
        async with served(create_app(log), most_body_kbytes=1024) as port:
            return await answers(port, 8, *[HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body] * 8)

    assert {answer.split()[1] for answer in run(ask())} == {b"200"}
    assert len(log.records) == 8


def test_requests_that_are_sent_ahead_are_read_later() -> None:
    """While a request is being answered little more is read, and all of it once the answer is written."""
    single = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    body = b" " * 300_000 + ITEM

    async def ask() -> list[bytes]:
        log = SlowLog()
        async with served(create_app(log, random=Random(1))) as port:
            ahead = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
            asked = asyncio.ensure_future(answers(port, 3, single, ahead, single))
            await asyncio.sleep(0.5)
            log.acknowledge.set()
            return await asked

    assert [answer.split()[1] for answer in run(ask())] == [b"200"] * 3


def test_a_client_may_wait_for_100_continue() -> None:
    """A client that expects it receives it before it sends its body, unless the body is refused."""
    waiting = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"

    async def ask(size: int, body: bytes, number: int) -> list[bytes]:
        async with served(create_app(MemoryLog())) as port:
            return await answers(port, number, HEAD + waiting % size, body)

    assert [answer.split()[1] for answer in run(ask(len(ITEM), ITEM, 2))] == [b"100", b"200"]
    [refused] = run(ask(2_000_000, b"", 1))
    assert refused.split()[1] == b"413"
    assert b"Connection: close" in refused


def test_more_requests_than_a_worker_answers_are_refused_at_once() -> None:
    """Above the limit, a request gets a 503 without waiting; health is answered all the same."""

    async def ask() -> tuple[list[int], list[bytes], list[bytes]]:
        log = SlowLog()
        single = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        async with served(create_app(log, random=Random(1), most_requests=3)) as port:
            waiting = [asyncio.ensure_future(answers(port, 1, single)) for _ in range(3)]
            await asyncio.sleep(0.2)
            refused = await asyncio.wait_for(answers(port, 1, single), 30)
            health = await asyncio.wait_for(answers(port, 1, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"), 30)
            log.acknowledge.set()
            return [int((await one)[0].split()[1]) for one in waiting], refused, health

    answered, [refused], [health] = run(ask())
    assert answered == [200, 200, 200]
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"Event-Outcome: refused" in refused
    assert b"Retry-After: 1" in refused
    assert health.startswith(b"HTTP/1.1 200")


def test_bodies_in_memory_are_bounded() -> None:
    """While bodies that are being sent fill their share of memory, others are refused at once."""

    async def ask() -> list[bytes]:
        async with served(create_app(MemoryLog()), most_body_kbytes=1024) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n[")
            await asyncio.sleep(0.1)
            refused = await answers(port, 1, HEAD + b"Content-Length: 100000\r\n\r\n")
            # It breaks off, without an end.
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()
            await asyncio.sleep(0.1)
            body = b" " * 100_000 + ITEM
            return refused + await answers(port, 1, HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    refused, later = run(ask())
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"Event-Outcome: refused" in refused
    assert later.startswith(b"HTTP/1.1 200")


CHUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"


def test_bodies_in_chunks_are_bounded_as_they_arrive() -> None:
    """A body without a length is refused once it is too large, or fills the share of memory, before its end."""
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

    async def ask() -> list[bytes]:
        async with served(create_app(MemoryLog()), most_body_kbytes=1500) as port:
            [large] = await answers(port, 1, chunked, CHUNK * 17)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n[")
            await asyncio.sleep(0.1)
            [crowded] = await answers(port, 1, chunked, CHUNK * 10)
            writer.close()
            return [large, crowded]

    large, crowded = run(ask())
    assert large.startswith(b"HTTP/1.1 413")
    assert crowded.startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"headers"),
        (HEAD + b"Content-Length: 100\r\n\r\n[", b"body"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[", b"body"),
    ],
)
def test_a_client_that_is_too_slow_gets_a_408(sent: bytes, part: bytes) -> None:
    """Headers and bodies have deadlines, after which the client hears what was missing."""

    async def ask() -> list[bytes]:
        async with served(create_app(MemoryLog()), header_timeout_seconds=1, body_timeout_seconds=1) as port:
            return await answers(port, 1, sent)

    [answer] = run(ask())
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"Connection: close" in answer
    assert answer.split(b"\r\n\r\n")[1].startswith(part + b": ")


def test_a_worker_that_stops_closes_connections_without_a_request() -> None:
    """A kept connection does not keep a worker from ending."""

    async def ask() -> bytes:
        async with served(create_app(MemoryLog())) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"\r\n\r\nalive")
        return await asyncio.wait_for(reader.read(), 5)

    assert run(ask()) == b""


def test_pages_that_wait_delay_no_player(monkeypatch: pytest.MonkeyPatch) -> None:
    """While all threads for pages wait, actions are answered, and more pages than may wait are refused."""
    release = Event()
    app = create_app(MemoryLog(), threads=2)
    monkeypatch.setattr(site.Site, "_answer", lambda *_: release.wait(60))

    async def ask() -> tuple[int, int]:
        waiting = [asyncio.ensure_future(app(Request("GET", "/play"))) for _ in range(2 * 64)]
        await asyncio.sleep(0.1)
        action = await asyncio.wait_for(app(Request("GET", "/", headers={"host": "a"})), 30)
        page = await asyncio.wait_for(app(Request("GET", "/play")), 30)
        release.set()
        await asyncio.gather(*waiting)
        return action.status, page.status

    assert run(ask()) == (200, 503)


def test_answered_requests_are_in_the_access_log(tmp_path: Path) -> None:
    """The access log has a line per request, with its id, which a path cannot forge."""
    config = Config()
    config.set("accesslog", str(tmp_path / "access"))
    config.set("access_log_format", FORMAT)
    logger = Logger(config)

    async def ask() -> None:
        async with served(create_app(MemoryLog()), logger) as port:
            await answers(
                port,
                1,
                b"GET /caf%C3%A9%0Ab?x=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8\r\nX-Request-Id: mine\r\n\r\n",
            )

    run(ask())
    [line] = (tmp_path / "access").read_text().splitlines()
    assert line.startswith("127.0.0.1 - - [")
    assert '"GET /caf%C3%A9%0Ab?x=1 HTTP/1.1" 404' in line
    assert line.endswith('"curl/8" "mine"')


def test_the_access_log_in_json_names_the_request(tmp_path: Path) -> None:
    """A line of the access log as JSON has the request's id where the other lines have it."""
    config = Config()
    config.set("accesslog", str(tmp_path / "access"))
    logger = Logger(config)
    for handler in logger.access_log.handlers:
        handler.setFormatter(formatter(LogSettings(format="json")))

    async def ask() -> None:
        async with served(create_app(MemoryLog()), logger) as port:
            for name in (b"one", b"two"):
                await answers(port, 1, b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + name + b"\r\n\r\n")

    run(ask())
    lines = (tmp_path / "access").read_text().splitlines()
    assert [json.loads(line)["request_id"] for line in lines] == ["one", "two"]


ACCESS = (
    (False, b"GET /healthz", b"200"),
    (False, b"GET /readyz", b"404"),
    (True, b"GET /readyz", b"200"),
    (True, b"GET /", b"404"),
    (True, b"BREW /", b"404"),
    (False, b"nonsense", b"400"),
)


@pytest.mark.parametrize(("is_admin", "line", "status"), ACCESS)
def test_a_connection_knows_its_port(is_admin: bool, line: bytes, status: bytes) -> None:
    """What a request may ask for depends on the port it came by, and each response forbids browsers everything."""

    async def ask() -> list[bytes]:
        async with served(create_app(MemoryLog()), is_admin=is_admin) as port:
            return await answers(port, 1, line + b" HTTP/1.1\r\nHost: a\r\n\r\n")

    [answer] = run(ask())
    assert answer.split()[1] == status
    head = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert {
        b"X-Content-Type-Options: nosniff",
        b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        b"Referrer-Policy: no-referrer",
    } <= set(head)
    assert len([one for one in head if one.startswith(b"X-Request-Id: ")]) == 1


@pytest.mark.parametrize(("is_admin", "path"), [(False, b"/play"), (True, b"/dashboard")])
def test_a_page_keeps_its_own_policy(is_admin: bool, path: bytes) -> None:
    """A page may load its own files: it has one policy, which is not that of other responses."""

    async def ask() -> list[bytes]:
        async with served(create_app(MemoryLog()), is_admin=is_admin) as port:
            return await answers(port, 1, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")

    [answer] = run(ask())
    head = answer.partition(b"\r\n\r\n")[0]
    assert head.count(b"Content-Security-Policy: ") == head.count(b"X-Content-Type-Options: nosniff") == 1
    assert b"Content-Security-Policy: default-src 'self'" in head
    assert head.count(b"Referrer-Policy: ") == 1


@pytest.mark.parametrize(
    ("forwarded", "proxies", "is_https"),
    [
        ("", 1, False),
        ("https", 0, False),
        ("https", 1, True),
        ("HTTPS", 1, True),
        ("http", 1, False),
        ("https, http", 1, False),
        ("http, https", 1, True),
        ("https, http", 2, True),
        ("https", 2, False),
    ],
)
def test_only_trusted_proxies_tell_that_a_client_uses_https(
    tmp_path: Path, forwarded: str, proxies: int, is_https: bool
) -> None:
    """A cookie is secure if the outermost trusted proxy was asked by https, whatever the client says."""
    lines = f"X-Forwarded-Proto: {forwarded}\r\n" if forwarded else ""
    head = f"POST / HTTP/1.1\r\nHost: a\r\n{lines}Cookie: player=x; __Host-player=x\r\n\r\n".encode()

    (tmp_path / "secrets").write_text(new_secret())
    identity = Identity(IdentitySettings(mode="token", token_secrets=str(tmp_path / "secrets")))

    async def ask() -> list[bytes]:
        async with served(create_app(MemoryLog(), identity=identity), trusted_proxies=proxies) as port:
            return await answers(port, 1, head)

    [answer] = run(ask())
    assert answer.startswith(b"HTTP/1.1 401")
    assert (b"Set-Cookie: __Host-player=; " in answer) is is_https
    assert (b"; Secure" in answer) is is_https


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("", 1, "127.0.0.1"),
        ("192.0.2.1", 0, "127.0.0.1"),
        ("192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", 2, "203.0.113.9"),
        ("192.0.2.1", 2, "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_tell_the_address(forwarded: str, proxies: int, address: str) -> None:
    """The client's address is what the outermost trusted proxy has seen."""

    async def found() -> str:
        settings = replace(Settings(), trusted_proxies=proxies)
        front = Front(create_app(MemoryLog()), Config(), settings, asyncio.get_running_loop())
        return front.address_of({"x-forwarded-for": forwarded} if forwarded else {}, "127.0.0.1")

    assert run(found()) == address
