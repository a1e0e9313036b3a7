"""Ingestion keys, with which programs send bulk requests. Only their SHA-256 is stored.

A line of the file is `NAME DIGEST SCOPE[,SCOPE]`. A key is rotated by a second line with its name, and later without
the first. A plain digest is enough because a key is 32 random bytes: nobody can guess what it is the digest of.
"""

import re
from hashlib import sha256
from secrets import token_urlsafe

from game_events import InvalidEventError
from game_events.names import prepared

from game_api.identity.caller import KEY_SCOPES, PLAYERS_ANY, Caller
from game_api.identity.errors import UnauthorizedError
from game_api.identity.watched_file import WatchedFile, lines

PREFIX = "gk1_"
SETTING = "API_KEYS"

_DIGEST = re.compile(r"[0-9a-f]{64}")


class IngestionKeys:
    """Raises SettingsError if the file is invalid."""

    def __init__(self, path: str) -> None:
        self._callers = WatchedFile(SETTING, path, _callers)

    def verify(self, key: str) -> Caller:
        """Return whose key this is; raise UnauthorizedError."""
        found = digest(key)
        caller = self._callers.content().get(found) or self._callers.content(at_once=True).get(found)
        if caller is None:
            raise UnauthorizedError("Authorization", "the ingestion key is unknown")
        return caller


def new_key() -> str:
    return PREFIX + token_urlsafe(32)


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _callers(text: str) -> dict[str, Caller]:
    callers = {}
    for number, line in lines(text):
        name, *rest = line.split()
        if len(rest) != 2 or not _DIGEST.fullmatch(rest[0]):
            raise ValueError(f"line {number}: expected a name, the key's SHA-256 in 64 hexadecimal digits, and scopes")
        scopes = frozenset(rest[1].split(","))
        if not scopes <= KEY_SCOPES:
            raise ValueError(f"line {number}: expected scopes of {', '.join(sorted(KEY_SCOPES))}")
        try:
            player = prepared("player", name)
        except InvalidEventError as error:
            raise ValueError(f"line {number}: invalid name: {error.problem}") from None
        callers[rest[0]] = Caller("" if PLAYERS_ANY in scopes else player, scopes, player)
    return callers
