"""Who sent a request: the player, and the headers that are stored. No other header ever is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import idna
from game_events import COMMON_FIELDS, InvalidEventError
from game_events.names import normal, prepared

from game_api.errors import InvalidRequestError

_FIELDS = {field.name: field for field in COMMON_FIELDS}

STORED_HEADERS = {"host": "Host", "user_agent": "User-Agent", "accept": "Accept"}
"""The event's field of each header that is stored."""

STORED_LENGTH = 512
"""Characters of a header that are stored: every event of a bulk request has them."""

PLAYER_HEADER = "X-Player"
KEY_HEADER = "Idempotency-Key"

_SINGLE = frozenset({"Host", PLAYER_HEADER, KEY_HEADER})
_VARIABLES = {
    header: "HTTP_" + header.upper().replace("-", "_")
    for header in (*STORED_HEADERS.values(), PLAYER_HEADER, KEY_HEADER)
}


@dataclass(frozen=True)
class Origin:
    """`headers` has the event's fields that a request's headers fill; `key` is "" without an Idempotency-Key.

    `player` is the name's normal form; `player_name` is how X-Player gave it, if that differs.
    """

    player: str
    headers: Mapping[str, str]
    key: str
    player_name: str = ""


def origin(environ: Mapping[str, Any]) -> Origin:
    """Read a WSGI environment; raise InvalidRequestError, naming the header."""
    headers = {}
    for name, header in STORED_HEADERS.items():
        value = _header(environ, header, name)
        if value:
            headers[name] = value[:STORED_LENGTH]
    given = _header(environ, PLAYER_HEADER, "player")
    try:
        player = prepared("player", given or _host_name(_without_port(headers.get("host", ""))))
    except InvalidEventError as error:
        raise InvalidRequestError(PLAYER_HEADER if given else "Host", f"names the player, {error.problem}") from None
    if not _FIELDS["player"].allows(player):
        header = PLAYER_HEADER if environ.get(_VARIABLES[PLAYER_HEADER]) else "Host"
        raise InvalidRequestError(header, f"names the player, expected {_FIELDS['player'].expectation}")
    name = given if given != player else ""
    return Origin(player, headers, _header(environ, KEY_HEADER, "event_id"), name)


def _header(environ: Mapping[str, Any], header: str, name: str) -> str:
    """Return a header's value, "" without one, as the event's field `name` allows it."""
    value: str | None = environ.get(_VARIABLES[header])
    # An empty one is a mistake where it would mean something.
    if value is None or (not value and header not in (PLAYER_HEADER, KEY_HEADER)):
        return ""
    if not value.isascii():
        try:
            # WSGI passes a header's bytes as latin-1.
            value = value.encode("latin-1").decode()
        except UnicodeDecodeError:
            raise InvalidRequestError(header, "is not UTF-8") from None
    # WSGI joins a repeated header's values with a comma.
    if header in _SINGLE and "," in value:
        raise InvalidRequestError(header, "came twice, or has a comma in it")
    if not _FIELDS[name].allows(value):
        raise InvalidRequestError(header, f"expected {_FIELDS[name].expectation}")
    return value


def _host_name(host: str) -> str:
    """Return a host's name in letters, whether it came so or in Punycode, and without the root's dot."""
    labels = normal(host).replace("\u3002", ".").removesuffix(".").split(".")
    return ".".join(map(_in_letters, labels))


def _in_letters(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return idna.decode(label)
    except UnicodeError:
        return label


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and (not port or port.isdecimal()) else host
