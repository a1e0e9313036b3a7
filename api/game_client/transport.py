"""One connection to the API, kept alive between requests."""

import gzip
import http.client
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0
_IDLE_SECONDS = 15.0
"""An older connection may be closed by now, which would put a batch in doubt for nothing."""
_MOST_BYTES = 4 << 20


class NotConnectedError(Exception):
    """No connection was made: nothing was sent."""


class LostResponseError(Exception):
    """The request may have arrived."""


@dataclass(frozen=True)
class Response:
    status: int
    headers: Message = field(default_factory=Message)
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        """The body, or an empty object if it is no JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Transport:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url: expected http://… or https://…, got {url!r}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self._prefix = parts.path.rstrip("/")
        self._used = 0.0
        self._is_cut = False

    def post(self, path: str, body: bytes, headers: Mapping[str, str | bytes]) -> Response:
        """Send JSON, compressed; raise NotConnectedError or LostResponseError if no response arrives."""
        self._connect()
        if self._is_cut:
            raise NotConnectedError("the client ends")
        sent = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Accept": "application/json", **headers}
        try:
            self._connection.request("POST", self._prefix + path, gzip.compress(body, 6), sent)
            answer = self._connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read(_MOST_BYTES))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise LostResponseError(f"no response: {error!r}") from error
        if not answer.isclosed():
            self._connection.close()
        self._used = time.monotonic()
        return response

    def cut(self) -> None:
        """End the request that another thread has underway, and send no other."""
        self._is_cut = True
        if sock := self._connection.sock:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> None:
        if self._connection.sock and time.monotonic() - self._used > _IDLE_SECONDS:
            self._connection.close()
        if self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError as error:
                self._connection.close()
                raise NotConnectedError(f"no connection: {error!r}") from error
