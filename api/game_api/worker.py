"""gunicorn's threaded worker: its threads stay a moment with a client that keeps asking, and wait for none for long."""

import re
import socket
from collections import deque
from functools import partial
from os import SEEK_END
from select import POLLIN, poll
from selectors import EVENT_READ
from threading import local
from time import monotonic
from typing import Any

from gunicorn.http.body import LengthReader  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException, UnsupportedTransferCoding  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout

from game_api.metrics import count_request
from game_api.refusals import LateError, accept_of, problem_of, refusal

STAY_MS = 50
"""How long a thread waits for its client's next request."""
LINGER_SECONDS = 2.0
"""How long a client may take to read its last answer before the connection is gone."""
_LOOK_SECONDS = 0.25
"""How often the main thread looks for clients that are late."""

_READ = 65536
# What ends the headers, or makes them wrong.
_END = re.compile(rb"\r\n\r\n|(?<!\r)\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
# A client that waits to be told to send its body.
_EXPECT = re.compile(rb"\nexpect:", re.IGNORECASE)


class StayingWorker(ThreadWorker):  # type: ignore[misc]
    """Saves handing the connection to the main thread and back between two requests: a quarter of a request's cost."""

    header_seconds = 5
    """How long a client may take for a request's first line and headers together."""
    body_seconds = 10
    """How long for its body; and how long for any part of the answer, to read it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 gunicorn has no types
        super().__init__(*args, **kwargs)
        self._lingering: deque[tuple[float, socket.socket]] = deque()
        self._thread = local()
        self._look_again = 0.0

    def accept(self, listener: Any) -> None:  # noqa: ANN401
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self._await_request(_Connection(self, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401
        """Give a thread what is ready for one: before that the main thread reads, and waits for no client."""
        if conn.unreader.is_ready():
            super().enqueue_req(conn)
        else:
            self._await_request(conn)

    def on_pending_socket_readable(self, conn: Any, client: Any) -> None:  # noqa: ANN401
        ready = conn.unreader.receive()
        if ready:
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            super().enqueue_req(conn)
        elif not conn.awaits_body and conn.unreader.late().part == "body":
            conn.awaits_body = True
            conn.timeout = monotonic() + self.body_seconds

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:  # noqa: ANN401
        conn.unreader.receive()
        super().on_client_socket_readable(conn, client)

    def _await_request(self, conn: Any) -> None:  # noqa: ANN401
        conn.sock.setblocking(False)
        conn.data_ready = True
        conn.awaits_body = conn.unreader.late().part == "body"
        conn.timeout = monotonic() + (self.body_seconds if conn.awaits_body else self.header_seconds)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def murder_pending(self) -> None:
        """Close the connections whose headers, or short bodies, are late."""
        now = monotonic()
        if now < self._look_again:
            return
        self._look_again = now + _LOOK_SECONDS
        for conn in list(self.pending_conns):
            began = bool(conn.unreader.buf.getvalue())
            # A stopping worker does not wait for requests that nobody has begun.
            if conn.timeout > now and (began or self.alive):
                continue
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            if began:
                conn.unreader.begin_head(0)
                self._refuse(conn.sock, conn.unreader.late(), conn.unreader.head, 0)
            conn.close(graceful=began)
        while self._lingering and self._lingering[0][0] <= now:
            self._part(self._lingering[0][1])

    def linger(self, sock: socket.socket) -> None:
        """Close a connection when its client has read what was sent, without waiting for that."""
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.setblocking(False)
            self.poller.register(sock, EVENT_READ, self._drain)
        except (OSError, KeyError, ValueError, RuntimeError):
            sock.close()
            return
        self._lingering.append((monotonic() + LINGER_SECONDS, sock))
        if len(self._lingering) > self.worker_connections:
            self._part(self._lingering[0][1])

    def _drain(self, sock: socket.socket) -> None:
        try:
            if sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._part(sock)

    def _part(self, sock: socket.socket) -> None:
        self._lingering = deque(one for one in self._lingering if one[1] is not sock)
        self.poller.unregister(sock)
        sock.close()

    def handle(self, conn: Any) -> Any:  # noqa: ANN401
        answered = self._handle(conn)
        while answered is True and self._asks_again(conn):
            answered = self._handle(conn)
        return answered

    def _handle(self, conn: Any) -> Any:  # noqa: ANN401
        conn.unreader.begin_head(self.header_seconds)
        self._thread.unreader = conn.unreader
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401
        conn.unreader.begin_body(self.body_seconds)
        for name, value in req.headers:
            # Any other coding would have to be undone, and gunicorn does not.
            if name == "TRANSFER-ENCODING" and value.strip(" \t").lower() != "chunked":
                raise UnsupportedTransferCoding(value)
        req.body.reader = _BodyReader(req)
        conn.sock.settimeout(self.body_seconds)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            self.log.debug("A client did not read its answer")
            return False

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:  # noqa: ANN401
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except HTTPException:
            # What is left of the body is wrong, or late; its request is answered.
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:  # noqa: ANN401
        """Answer what never became a request of the application, in the application's form."""
        if self._refuse(client, exc, self._thread.unreader.head, self.body_seconds) == 500:
            self.log.exception("Error handling request")

    def _refuse(self, client: socket.socket, error: Exception, head: bytes, seconds: float) -> int:
        answer = refusal(error)
        count_request("unknown", answer.status)
        try:
            client.settimeout(seconds)
            client.sendall(answer.message(accept_of(head)))
        except OSError:
            self.log.debug("A client did not take its answer")
        return answer.status

    def _asks_again(self, conn: Any) -> bool:  # noqa: ANN401
        with_threads = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        # No connection may wait for a thread that waits for its client. The rest is the main thread's business: what a
        # stopping worker does with its connections, and with a request that was read along with the last one.
        if with_threads > self.cfg.threads or not self.alive or conn.parser.unreader.buf.getvalue():
            return False
        waiter = poll()
        waiter.register(conn.sock, POLLIN)
        return bool(waiter.poll(STAY_MS)) and bool(conn.unreader.receive())


class _Connection(TConn):  # type: ignore[misc]
    def __init__(self, worker: StayingWorker, sock: socket.socket, client: Any, server: Any) -> None:  # noqa: ANN401
        super().__init__(worker.cfg, sock, client, server)
        self.unreader = _Unreader(sock)
        self._worker = worker
        self.awaits_body = False

    def init(self) -> None:
        super().init()
        self.parser.unreader = self.unreader

    def close(self, graceful: bool = False) -> None:
        if graceful:
            self._worker.linger(self.sock)
        else:
            super().close()


class _Unreader(SocketUnreader):  # type: ignore[misc]
    """Reads from a client until a deadline, which each byte that comes does not put off."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.head = bytearray()
        """What came of a request's first line and headers."""
        self._reads_head = True
        self._deadline = 0.0
        self._readable = poll()
        self._readable.register(sock, POLLIN)

    def receive(self) -> bool:
        """Take what has come, which must be something; tell whether that is for a thread to read on."""
        try:
            data = self.sock.recv(_READ)
        except OSError:
            data = b""
        self.buf.seek(0, SEEK_END)
        self.buf.write(data)
        return not data or self.is_ready()

    def is_ready(self) -> bool:
        """Tell whether a thread has something to do: with a short request, when it is whole."""
        data = self.buf.getvalue()
        end = _END.search(data)
        if not end:
            return len(data) > _READ
        length = _LENGTH.search(data, 0, end.end())
        if not length or _EXPECT.search(data, 0, end.end()):
            return True
        expected = end.end() + int(length[1])
        return expected > _READ or len(data) >= expected

    def late(self) -> LateError:
        return LateError("body" if _END.search(self.buf.getvalue()) else "headers")

    def begin_head(self, seconds: float) -> None:
        self.head = bytearray(self.buf.getvalue()[:_READ])
        self._reads_head = True
        self._deadline = monotonic() + seconds

    def begin_body(self, seconds: float) -> None:
        self._reads_head = False
        self._deadline = monotonic() + seconds

    def chunk(self, size_hint: int | None = None) -> bytes:
        left = self._deadline - monotonic()
        if left <= 0 or not self._readable.poll(left * 1000):
            raise LateError("headers" if self._reads_head else "body")
        data: bytes = super().chunk(size_hint)
        if self._reads_head:
            self.head += data
        return data


class _BodyReader:
    """Reads a body, and says in the application's terms what is wrong with it."""

    def __init__(self, req: Any) -> None:  # noqa: ANN401
        self._request = req
        self._reader = req.body.reader

    def read(self, size: int) -> bytes:
        expected = min(size, self._reader.length) if isinstance(self._reader, LengthReader) else 0
        try:
            data: bytes = self._reader.read(size)
        except LateError as error:
            raise self._last(RequestTimeout(str(error))) from None
        except ParseException as error:
            raise self._last(BadRequest(problem_of(error))) from None
        if len(data) < expected:
            raise self._last(BadRequest("body: expected as many bytes as Content-Length says, got fewer"))
        return data

    def _last(self, error: HTTPException) -> HTTPException:
        # Nobody knows where the next request would begin.
        self._request.force_close()
        return error
