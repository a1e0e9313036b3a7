"""gunicorn's threaded worker, with reads and writes bounded in time and a thread that waits for the next request.

It relies on parts of gunicorn that are not its public interface. tests/unit/game_api/test_gunicorn_internals.py lists
them and fails when another version of gunicorn changes them.
"""

import socket
from collections import deque
from functools import partial
from select import POLLIN, poll
from selectors import EVENT_READ
from threading import local
from time import monotonic
from typing import Any

from gunicorn.http.errors import UnsupportedTransferCoding  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from game_api.connection import Connection
from game_api.metrics import count_request
from game_api.refusals import accept_of, refusal
from game_api.request_body import BodyReader

STAY_MS = 50
"""How long a thread waits for its client's next request."""
LINGER_SECONDS = 2.0
"""How long a client may take to read its last response before the connection is closed."""
_SWEEP_SECONDS = 0.25
"""How often the main thread looks for connections whose time is up."""


class StayingWorker(ThreadWorker):  # type: ignore[misc]
    """Keeps a connection in its thread between two requests: handing it over and back costs a quarter of a request.

    The main thread reads requests until a thread can serve them without waiting for the client.
    """

    header_seconds = 5
    """Time limit for a request's first line and headers together."""
    body_seconds = 10
    """Time limit for a request's body, and for the client to read each part of the response."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 gunicorn has no types
        super().__init__(*args, **kwargs)
        self._lingering: deque[tuple[float, socket.socket]] = deque()
        self._thread = local()
        self._next_sweep = 0.0

    def accept(self, listener: Any) -> None:  # noqa: ANN401
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self._await_request(Connection(self.cfg, client, address, listener.getsockname(), self.linger))

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401
        """Pass a connection to a thread if its request is complete enough; otherwise go on reading."""
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
        """Close the connections whose headers or short bodies are late."""
        now = monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        for conn in list(self.pending_conns):
            has_begun = conn.unreader.has_buffered()
            # A stopping worker does not wait for requests that have not begun.
            if conn.timeout > now and (has_begun or self.alive):
                continue
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            if has_begun:
                conn.unreader.begin_head(0)
                self._refuse(conn.sock, conn.unreader.late(), conn.unreader.head, 0)
            conn.close(graceful=has_begun)
        while self._lingering and self._lingering[0][0] <= now:
            self._close_lingering(self._lingering[0][1])

    def linger(self, sock: socket.socket) -> None:
        """Close a connection once its client has read the response, without blocking a thread for that."""
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.setblocking(False)
            self.poller.register(sock, EVENT_READ, self._drain)
        except (OSError, KeyError, ValueError, RuntimeError):
            sock.close()
            return
        self._lingering.append((monotonic() + LINGER_SECONDS, sock))
        if len(self._lingering) > self.worker_connections:
            self._close_lingering(self._lingering[0][1])

    def _drain(self, sock: socket.socket) -> None:
        try:
            if sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._close_lingering(sock)

    def _close_lingering(self, sock: socket.socket) -> None:
        self._lingering = deque(one for one in self._lingering if one[1] is not sock)
        self.poller.unregister(sock)
        sock.close()

    def handle(self, conn: Any) -> Any:  # noqa: ANN401
        keeps_alive = self._handle_one(conn)
        while keeps_alive is True and self._has_next_request(conn):
            keeps_alive = self._handle_one(conn)
        return keeps_alive

    def _handle_one(self, conn: Any) -> Any:  # noqa: ANN401
        conn.unreader.begin_head(self.header_seconds)
        self._thread.unreader = conn.unreader
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401
        conn.unreader.begin_body(self.body_seconds)
        for name, value in req.headers:
            # gunicorn accepts other codings but does not decode them.
            if name == "TRANSFER-ENCODING" and value.strip(" \t").lower() != "chunked":
                raise UnsupportedTransferCoding(value)
        req.body.reader = BodyReader(req)
        conn.sock.settimeout(self.body_seconds)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            self.log.debug("A client did not read its response")
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:  # noqa: ANN401
        """Answer a request that never reached the application, in the application's format."""
        if isinstance(exc, HTTPException):
            # The rest of a body that the application did not read is malformed or late; the request is answered.
            return
        if self._refuse(client, exc, self._thread.unreader.head, self.body_seconds) == 500:
            self.log.exception("Error handling request")

    def _refuse(self, client: socket.socket, error: Exception, head: bytes, seconds: float) -> int:
        answer = refusal(error)
        count_request("unknown", answer.status)
        try:
            client.settimeout(seconds)
            client.sendall(answer.message(accept_of(head)))
        except OSError:
            self.log.debug("A client did not read its response")
        return answer.status

    def _has_next_request(self, conn: Any) -> bool:  # noqa: ANN401
        in_threads = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        # No connection may wait for a thread while a thread waits for its client. The main thread handles the other
        # cases: the connections of a stopping worker, and a next request that was read along with the previous one.
        if in_threads > self.cfg.threads or not self.alive or conn.unreader.has_buffered():
            return False
        waiter = poll()
        waiter.register(conn.sock, POLLIN)
        return bool(waiter.poll(STAY_MS)) and bool(conn.unreader.receive())
