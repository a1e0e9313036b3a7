"""A network between devices and the API that loses, cuts and refuses on demand."""

import socket
import threading
from contextlib import suppress
from enum import Enum
from typing import Self

from testbed.settings import HOST

_CHUNK = 1 << 16


class State(Enum):
    FINE = "fine"
    OFFLINE = "offline: connections are refused"
    LOSES_RESPONSES = "requests arrive, and their responses are lost"
    CUTS_REQUESTS = "connections are cut within a request"
    BUSY = "503 with Retry-After"
    LIMITED = "429 with Retry-After"


_ANSWERS = {
    State.BUSY: b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nEvent-Outcome: refused\r\n",
    State.LIMITED: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n",
}
_END = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
_CUT_AFTER = 200
"""Bytes of a request that still arrive."""


class Network:
    """Forwards connections to a port. A change of `state` ends all connections; new ones are treated by it."""

    def __init__(self, port: int) -> None:
        self._target = (HOST, port)
        self._state = State.FINE
        self._open: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.become(State.OFFLINE)

    def become(self, state: State) -> None:
        was, self._state = self._state, state
        if state is State.OFFLINE:
            _end(self._listener)
        for one in list(self._open):
            _end(one)
        if was is State.OFFLINE and state is not State.OFFLINE:
            self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server((HOST, port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client, self._state), daemon=True).start()

    def _serve(self, client: socket.socket, state: State) -> None:
        self._open.add(client)
        try:
            if state in _ANSWERS:
                client.recv(_CHUNK)
                client.sendall(_ANSWERS[state] + _END)
            elif state is not State.OFFLINE:
                self._forward(client, state)
        except OSError:
            pass
        finally:
            self._open.discard(client)
            _end(client)

    def _forward(self, client: socket.socket, state: State) -> None:
        with socket.create_connection(self._target) as server:
            if state is State.CUTS_REQUESTS:
                server.sendall(client.recv(_CUT_AFTER))
                return
            self._open.add(server)
            back = threading.Thread(target=self._answer, args=(server, client, state), daemon=True)
            back.start()
            try:
                while data := client.recv(_CHUNK):
                    server.sendall(data)
            finally:
                self._open.discard(server)
                _end(server)
                back.join()

    def _answer(self, server: socket.socket, client: socket.socket, state: State) -> None:
        with suppress(OSError):
            while data := server.recv(_CHUNK):
                if state is State.LOSES_RESPONSES:
                    break
                client.sendall(data)
        _end(client)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
