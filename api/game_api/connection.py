"""A client's connection as the worker reads from it: complete requests first, and never past a deadline."""

import re
import socket
from collections.abc import Callable
from os import SEEK_END
from select import POLLIN, poll
from time import monotonic
from typing import Any

from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from game_api.refusals import LateError

_READ = 65536
# The end of the headers, or a line end that makes them invalid.
_END = re.compile(rb"\r\n\r\n|(?<!\r)\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
# Such a client waits for `100 Continue` before it sends its body.
_EXPECT = re.compile(rb"\nexpect:", re.IGNORECASE)


class Connection(TConn):  # type: ignore[misc]
    """A connection whose parser reads through a DeadlineUnreader; `linger` closes its socket gracefully."""

    def __init__(
        self,
        cfg: Any,  # noqa: ANN401 gunicorn has no types
        sock: socket.socket,
        client: Any,  # noqa: ANN401
        server: Any,  # noqa: ANN401
        linger: Callable[[socket.socket], None],
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self.unreader = DeadlineUnreader(sock)
        self.awaits_body = False
        self._linger = linger

    def init(self) -> None:
        super().init()
        self.parser.unreader = self.unreader

    def close(self, graceful: bool = False) -> None:
        if graceful:
            self._linger(self.sock)
        else:
            super().close()


class DeadlineUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads from a client until a deadline, which arriving bytes do not extend."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.head = bytearray()
        """The part of the request's first line and headers that was received."""
        self._reads_head = True
        self._deadline = 0.0
        self._readable = poll()
        self._readable.register(sock, POLLIN)

    def has_buffered(self) -> bool:
        return bool(self.buf.getvalue())

    def receive(self) -> bool:
        """Read from a readable socket; tell whether a thread should take over."""
        try:
            data = self.sock.recv(_READ)
        except OSError:
            data = b""
        self.buf.seek(0, SEEK_END)
        self.buf.write(data)
        return not data or self.is_ready()

    def is_ready(self) -> bool:
        """Tell whether a thread has something to do: a short request has to be complete."""
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
        """Return the error for a client that sends no more: it names the part that is missing."""
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
