"""Quotas of Kafka's users, in Kafka's own protocol: librdkafka has no request for them."""

import socket
import struct
from collections.abc import Mapping
from typing import NamedTuple

_SASL_HANDSHAKE = (17, 1)
_SASL_AUTHENTICATE = (36, 0)
_ALTER_CLIENT_QUOTAS = (49, 0)
"""Numbers of requests, and their versions."""

_TIMEOUT = 20
_KEYS = {
    "producerByteRate": "producer_byte_rate",
    "consumerByteRate": "consumer_byte_rate",
    "requestPercentage": "request_percentage",
    "controllerMutationRate": "controller_mutation_rate",
}
"""Kafka's names of a KafkaUser's quotas."""

FIELDS = tuple(_KEYS)


class QuotasError(Exception):
    """Kafka refused a request; the message is its own."""


class Login(NamedTuple):
    """How a super user connects, with the mechanism PLAIN."""

    host: str
    port: int
    username: str
    password: str


def set_quotas(login: Login, user: str, quotas: Mapping[str, float]) -> None:
    """Give a user these quotas, by the names of a KafkaUser, and no others; OSError if no broker answers."""
    with socket.create_connection((login.host, login.port), timeout=_TIMEOUT) as connection:
        _refuse_error(_ask(connection, _SASL_HANDSHAKE, _text("PLAIN")), 0)
        secret = f"\0{login.username}\0{login.password}".encode()
        _refuse_error(_ask(connection, _SASL_AUTHENTICATE, struct.pack(">i", len(secret)) + secret), 0)
        operations = [
            _text(key) + struct.pack(">d?", quotas.get(name, 0), name not in quotas) for name, key in _KEYS.items()
        ]
        entity = _many([_text("user") + _text(user)])
        answer = _ask(connection, _ALTER_CLIENT_QUOTAS, _many([entity + _many(operations)]) + struct.pack(">?", False))
        # Before the first entry are the time by which the answer was delayed, and the number of entries.
        _refuse_error(answer, 8)


def _ask(connection: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    content = struct.pack(">hhi", *request, 0) + _text("standins") + body
    connection.sendall(struct.pack(">i", len(content)) + content)
    [length] = struct.unpack(">i", _receive(connection, 4))
    # Without the number of the request.
    return _receive(connection, length)[4:]


def _receive(connection: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        part = connection.recv(length - len(content))
        if not part:
            raise ConnectionError("the broker closed the connection")
        content += part
    return content


def _refuse_error(answer: bytes, place: int) -> None:
    [code] = struct.unpack_from(">h", answer, place)
    if not code:
        return
    # A message follows, or the number of supported mechanisms.
    [length] = struct.unpack_from(">h", answer, place + 2)
    message = answer[place + 4 : place + 4 + length].decode(errors="replace") if length > 0 else ""
    raise QuotasError(message or f"error {code}")


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text.encode())) + text.encode()


def _many(items: list[bytes]) -> bytes:
    return struct.pack(">i", len(items)) + b"".join(items)
