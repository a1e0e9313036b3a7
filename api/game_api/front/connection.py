"""A client's connection: it reads requests, within their deadlines, and writes their responses one after the other."""

import asyncio
from enum import Enum, auto
from time import monotonic
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from game_api.bodies import MAX_BODY
from game_api.errors import BusyError, LateError
from game_api.front.chunks import Chunks
from game_api.front.head import CHUNKED, END, Head, parse
from game_api.front.messages import CONTINUE, message
from game_api.front.refusals import accept_of, path_of, refusal
from game_api.replies import Response
from game_api.request import Request

if TYPE_CHECKING:
    from game_api.front.front import Front

_MOST_HEAD = 65536
"""Bytes without the end of the headers, after which the parser says what is too long."""
_MOST_AHEAD = 65536
"""Bytes that are read while a request is being answered."""
_LINGER_SECONDS = 2.0
"""How long a client may take to read its last response before the connection is closed."""
_NEVER = float("inf")


class _State(Enum):
    HEAD = auto()
    """A request's first line and headers are awaited."""
    BODY = auto()
    ANSWER = auto()
    """A request is being answered."""
    LINGER = auto()
    """The last response is written; what the client still sends is dropped."""


class Connection(asyncio.Protocol):
    """A client's connection. `deadline` is when the front calls `expire`."""

    def __init__(self, front: "Front", is_admin: bool = False) -> None:
        self._front = front
        self._is_admin = is_admin
        self._transport: asyncio.Transport
        self._peer = ""
        self._is_encrypted = False
        self._state = _State.HEAD
        self._buffer = bytearray()
        self._searched = 0
        self._began = 0.0
        self._head: Head | None = None
        self._chunks: Chunks | None = None
        self._charged = 0
        self._is_cramped = False
        self._has_ended = False
        self.deadline = _NEVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        address = transport.get_extra_info("peername")
        self._peer = address[0] if isinstance(address, tuple) else ""
        self._is_encrypted = transport.get_extra_info("sslcontext") is not None
        self._front.connections.add(self)
        self.deadline = monotonic() + self._front.header_seconds

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.lose(self)
        self._give_back()
        self._state = _State.LINGER
        self._buffer.clear()

    def pause_writing(self) -> None:
        self._is_cramped = True
        self.deadline = monotonic() + self._front.body_seconds

    def resume_writing(self) -> None:
        self._is_cramped = False
        if self._state is _State.HEAD:
            self.deadline = monotonic() + self._front.keepalive_seconds
            self._read()
        elif self._state is _State.ANSWER:
            self.deadline = _NEVER

    def data_received(self, data: bytes) -> None:
        state = self._state
        if state is _State.LINGER:
            return
        if state is _State.BODY and self._chunks is not None:
            self._feed(data)
            return
        self._buffer += data
        if state is _State.HEAD:
            self._read()
        elif state is _State.BODY:
            self._take_body()
        elif len(self._buffer) > _MOST_AHEAD:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Tell whether the connection stays open for a response."""
        self._has_ended = True
        if self._state is _State.BODY:
            self._fail(BadRequest("body: expected as many bytes as Content-Length, got fewer"))
        return self._state is _State.ANSWER

    def _read(self) -> None:
        """Begin the next request, if enough of it has arrived."""
        if self._is_cramped or not self._buffer:
            return
        if not self._began:
            self._began = monotonic()
            self.deadline = self._began + self._front.header_seconds
        buffer = self._buffer
        end = END.search(buffer, self._searched)
        if end is None and len(buffer) <= _MOST_HEAD:
            self._searched = max(0, len(buffer) - 3)
            return
        data = bytes(buffer[: end.end()] if end else buffer)
        del buffer[: len(data)]
        self._searched = 0
        try:
            head = self._head = parse(data, self._front.cfg, self._peer)
        except Exception as error:
            self._refuse(data, error)
            return
        if head.length:
            self._begin_body(head)
        else:
            self._ask(b"")

    def _begin_body(self, head: Head) -> None:
        if head.length > MAX_BODY:
            self._fail(RequestEntityTooLarge())
            return
        self._state = _State.BODY
        if head.length == CHUNKED:
            self._chunks = Chunks()
            data = bytes(self._buffer)
            self._buffer.clear()
            self._await_body(head, bool(data))
            self._feed(data)
        elif not self._charge(head.length):
            self._fail(BusyError("too many bytes of requests at once: try again"))
        elif len(self._buffer) >= head.length:
            self._take_body()
        else:
            self._await_body(head, bool(self._buffer))

    def _await_body(self, head: Head, has_begun: bool) -> None:
        self.deadline = monotonic() + self._front.body_seconds
        if head.expects and not has_begun:
            self._transport.write(CONTINUE)

    def _take_body(self) -> None:
        length = self._head.length if self._head else 0
        if len(self._buffer) >= length:
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._ask(body)

    def _feed(self, data: bytes) -> None:
        chunks = self._chunks
        if chunks is None or not data:
            return
        before = len(chunks.body)
        try:
            is_complete = chunks.feed(data)
        except Exception as error:
            self._fail(refusal(error))
            return
        if len(chunks.body) > MAX_BODY:
            self._fail(RequestEntityTooLarge())
        elif not self._charge(len(chunks.body) - before):
            self._fail(BusyError("too many bytes of requests at once: try again"))
        elif is_complete:
            self._buffer += chunks.rest()
            self._ask(bytes(chunks.body))

    def _charge(self, size: int) -> bool:
        """Count bytes of bodies in memory; tell whether there is room for them."""
        if self._front.body_bytes + size > self._front.most_body_bytes:
            return False
        self._front.body_bytes += size
        self._charged += size
        return True

    def _give_back(self) -> None:
        self._front.body_bytes -= self._charged
        self._charged = 0

    def _refuse(self, data: bytes, error: Exception) -> None:
        """Answer a request whose head cannot be used, and close the connection."""
        self._head = None
        problem = refusal(error)
        headers = {"accept": accept_of(data)}
        request = Request("", path_of(data), headers=headers, address=self._peer, problem=problem)
        request.is_admin = self._is_admin
        self._pass_on(request, False)

    def _fail(self, problem: Exception) -> None:
        """Answer a request whose body cannot be used, and close the connection: the next request's start is unknown."""
        head = self._head
        assert head is not None  # noqa: S101 for the type checker
        head.keeps_alive = False
        self._pass_on(self._request(head, b"", problem), False)

    def _ask(self, body: bytes) -> None:
        head = self._head
        assert head is not None  # noqa: S101 for the type checker
        self._pass_on(self._request(head, body, None), head.keeps_alive)

    def _request(self, head: Head, body: bytes, problem: Exception | None) -> Request:
        front, headers = self._front, head.headers
        address, is_https = front.address_of(headers, self._peer), front.is_https(headers, self._is_encrypted)
        request = Request(head.method, head.path, head.query, headers, body, address, is_https, self._began, problem)
        request.is_admin = self._is_admin
        return request

    def _pass_on(self, request: Request, keeps_alive: bool) -> None:
        self._state = _State.ANSWER
        self._chunks = None
        self.deadline = _NEVER
        self._front.answer(self, request, keeps_alive)

    def respond(self, request: Request, response: Response, keeps_alive: bool) -> None:
        """Write the response to the request that was passed on."""
        self._give_back()
        if self._state is _State.LINGER:
            return
        keeps_alive = keeps_alive and self._front.is_open and not self._has_ended
        self._transport.write(message(response, keeps_alive, request.method != "HEAD"))
        self._began = 0.0
        self._head = None
        if not keeps_alive:
            self._close()
            return
        self._state = _State.HEAD
        now = monotonic()
        self.deadline = now + (self._front.body_seconds if self._is_cramped else self._front.keepalive_seconds)
        if self._buffer:
            self._transport.resume_reading()
            self._read()

    def _close(self) -> None:
        self._state = _State.LINGER
        self.deadline = monotonic() + _LINGER_SECONDS
        self._buffer.clear()
        if self._has_ended or self._transport.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        # Closing with unread bytes would reset the connection, and the client might never see the response.
        self._transport.resume_reading()
        self._transport.write_eof()

    def expire(self) -> None:
        """End what has lasted too long."""
        if self._state is _State.LINGER or self._is_cramped:
            self._transport.abort()
        elif self._state is _State.BODY:
            self._fail(LateError("body"))
        elif self._began:
            self._refuse(bytes(self._buffer), LateError("headers"))
        else:
            self._transport.close()

    def stop(self) -> None:
        """Close the connection if no request has begun."""
        if self._state is _State.HEAD and not self._began:
            self._transport.close()
