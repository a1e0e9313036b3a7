"""The sender of a request: the player, and the headers that events store. Other headers are never stored."""

from collections.abc import Mapping
from dataclasses import dataclass

import idna
from game_events import COMMON_FIELDS, InvalidEventError
from game_events.names import normal, prepared

from game_api.errors import InvalidRequestError

_FIELDS = {field.name: field for field in COMMON_FIELDS}

STORED_HEADERS = {"host": "Host", "user_agent": "User-Agent", "accept": "Accept"}
"""The stored headers, by the event field that holds each."""

STORED_LENGTH = 512
"""How many characters of a header are stored. Every event of a bulk request repeats them."""

PLAYER_HEADER = "X-Player"
KEY_HEADER = "Idempotency-Key"

_SINGLE = frozenset({"Host", PLAYER_HEADER, KEY_HEADER})
_KEYS = {header: header.lower() for header in (*STORED_HEADERS.values(), PLAYER_HEADER, KEY_HEADER)}


@dataclass(frozen=True)
class Origin:
    """`headers` maps event fields to header values; `key` is "" without an Idempotency-Key.

    `player` is the name's normal form; `player_name` is the name in X-Player, if that differs.
    """

    player: str
    headers: Mapping[str, str]
    key: str
    player_name: str = ""


def origin(headers: Mapping[str, str]) -> Origin:
    """Read a request's headers; raise InvalidRequestError, which names the header."""
    stored = {}
    for name, header in STORED_HEADERS.items():
        value = _header(headers, header, name)
        if value:
            stored[name] = value[:STORED_LENGTH]
    given = _header(headers, PLAYER_HEADER, "player")
    try:
        player = prepared("player", given or _host_name(_without_port(stored.get("host", ""))))
    except InvalidEventError as error:
        raise InvalidRequestError(PLAYER_HEADER if given else "Host", f"invalid player name: {error.problem}") from None
    if not _FIELDS["player"].allows(player):
        header = PLAYER_HEADER if headers.get(_KEYS[PLAYER_HEADER]) else "Host"
        raise InvalidRequestError(header, f"invalid player name: expected {_FIELDS['player'].expectation}")
    name = given if given != player else ""
    return Origin(player, stored, _header(headers, KEY_HEADER, "event_id"), name)


def _header(headers: Mapping[str, str], header: str, name: str) -> str:
    """Return a header's value, checked against the event's field `name`, or "" without one."""
    value = headers.get(_KEYS[header])
    # An empty player or key is a client's mistake; other empty headers count as absent.
    if value is None or (not value and header not in (PLAYER_HEADER, KEY_HEADER)):
        return ""
    if not value.isascii():
        try:
            # Transports decode headers as latin-1.
            value = value.encode("latin-1").decode()
        except UnicodeDecodeError:
            raise InvalidRequestError(header, "is not UTF-8") from None
    # Transports join a repeated header's values with a comma.
    if header in _SINGLE and "," in value:
        raise InvalidRequestError(header, "expected a single value, got a repeated header or a comma")
    if not _FIELDS[name].allows(value):
        raise InvalidRequestError(header, f"expected {_FIELDS[name].expectation}")
    return value


def _host_name(host: str) -> str:
    """Return a host name with Punycode decoded and without the trailing dot."""
    labels = normal(host).replace("\u3002", ".").removesuffix(".").split(".")
    return ".".join(map(_decoded_label, labels))


def _decoded_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return idna.decode(label)
    except UnicodeError:
        return label


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and (not port or port.isdecimal()) else host
