"""The service's own tokens for players, signed with HMAC-SHA-256 under rotating secrets.

A token is `gp1.PAYLOAD.SIGNATURE`. The payload is the JSON list of the secret's id, the player, when the name was
claimed (milliseconds), and when the token expires (seconds).
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from hashlib import sha256
from secrets import token_urlsafe
from time import time
from typing import NamedTuple

import orjson

from game_api.identity.errors import UnauthorizedError
from game_api.identity.watched_file import WatchedFile, lines

PREFIX = "gp1."
HEADER = "Authorization"
LEAST_SECRET = 32
"""In characters."""
SETTING = "API_TOKEN_SECRETS"
SETTLING_SECONDS = 150.0
"""A new first secret signs once its file is so old: by then the kubelet, which updates the volumes of a Secret about
every minute, has brought it to every other pod, which must accept what this one signs."""


class Claim(NamedTuple):
    """A player's claim of their name, as a token states it."""

    player: str
    claimed_at: int
    expires: float
    """In seconds since the epoch."""
    secret_id: str
    """The secret under which the token is signed."""


class PlayerTokens:
    """Signs with the first secret of a file and accepts all of them; raises SettingsError if the file is invalid.

    A file that has just changed may be unknown to another process: its second secret signs until it has settled.
    """

    def __init__(self, path: str, days: int, clock: Callable[[], float] = time) -> None:
        self.seconds = days * 86400
        self._clock = clock
        self._secrets = WatchedFile(SETTING, path, _secrets)

    @property
    def version(self) -> int:
        return self._secrets.version

    def issue(self, player: str, claimed_at: int) -> str:
        secret_id, secret = self._signing()
        expires = int(self._clock()) + self.seconds
        signed = PREFIX + _encoded(orjson.dumps([secret_id, player, claimed_at, expires]))
        return f"{signed}.{_encoded(_signature(secret, signed))}"

    def verify(self, token: str) -> Claim:
        """Return what the token states; raise UnauthorizedError."""
        signed, _, signature = token.rpartition(".")
        try:
            secret_id, player, claimed_at, expires = orjson.loads(urlsafe_b64decode(signed.removeprefix(PREFIX) + "=="))
            given = urlsafe_b64decode(signature + "==")
        except (Base64Error, ValueError, TypeError):
            raise UnauthorizedError(HEADER, "the token is malformed") from None
        if not isinstance(secret_id, str):
            raise UnauthorizedError(HEADER, "the token is malformed")
        # Another worker may have read a new secret before this one.
        secret = self._secrets.content().get(secret_id) or self._secrets.content(at_once=True).get(secret_id)
        if secret is None:
            raise UnauthorizedError(HEADER, "the token was signed with a secret that is no longer accepted")
        if not hmac.compare_digest(_signature(secret, signed), given):
            raise UnauthorizedError(HEADER, "the token's signature is wrong")
        if expires <= self._clock():
            raise UnauthorizedError(HEADER, "the token has expired")
        return Claim(player, claimed_at, expires, secret_id)

    def is_due(self, claim: Claim) -> bool:
        """Tell whether the client should get a new token: less than half of its time is left, or its secret is old."""
        is_old = self._has_settled() and claim.secret_id != next(iter(self._secrets.content()))
        return is_old or claim.expires - self._clock() < self.seconds / 2

    def _signing(self) -> tuple[str, bytes]:
        """Return the secret that signs, and its id."""
        first, *others = self._secrets.content().items()
        return others[0] if others and not self._has_settled() else first

    def _has_settled(self) -> bool:
        return self._clock() - self._secrets.changed_at >= SETTLING_SECONDS


def new_secret() -> str:
    return token_urlsafe(LEAST_SECRET)


def _secrets(text: str) -> dict[str, bytes]:
    """Return the secrets by their ids, in the file's order."""
    found = lines(text)
    for number, secret in found:
        if len(secret) < LEAST_SECRET:
            raise ValueError(f"line {number}: expected a secret of at least {LEAST_SECRET} characters")
    if not found:
        raise ValueError("expected a secret a line, got none")
    return {sha256(b"id of " + secret.encode()).hexdigest()[:8]: secret.encode() for _, secret in found}


def _signature(secret: bytes, signed: str) -> bytes:
    return hmac.digest(secret, signed.encode(), "sha256")


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
