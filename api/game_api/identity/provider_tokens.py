"""Tokens of an identity provider: JSON Web Tokens (RFC 7519), of which `sub` is the player."""

from typing import NamedTuple

import jwt
from game_events import InvalidEventError
from game_events.names import prepared
from jwt import PyJWK
from jwt import exceptions as problems

from game_api.identity.errors import UnauthorizedError
from game_api.identity.jwks import ALGORITHMS, KeySet

HEADER = "Authorization"
LEEWAY_SECONDS = 10
"""By so much the clocks of provider and service may differ."""

_PROBLEMS: tuple[tuple[type[problems.PyJWTError], str], ...] = (
    (problems.ExpiredSignatureError, "the token has expired"),
    (problems.ImmatureSignatureError, "the token is not valid yet"),
    (problems.InvalidAudienceError, "the token is for another audience"),
    (problems.InvalidIssuerError, "the token is of another issuer"),
    (problems.InvalidSignatureError, "the token's signature is wrong"),
    (problems.InvalidAlgorithmError, "the token's algorithm is not the key's"),
    (problems.MissingRequiredClaimError, "the token lacks one of exp, sub, iss, aud"),
)


class Verified(NamedTuple):
    player: str
    expires: float
    """In seconds since the epoch."""


class ProviderTokens:
    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str) -> Verified:
        """Return what the token proves; raise UnauthorizedError or KeysUnavailableError."""
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=sorted(ALGORITHMS),
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except problems.PyJWTError as error:
            found = (text for kind, text in _PROBLEMS if isinstance(error, kind))
            raise UnauthorizedError(HEADER, next(found, "the token is malformed")) from None
        try:
            return Verified(prepared("player", claims["sub"]), float(claims["exp"]) + LEEWAY_SECONDS)
        except InvalidEventError as error:
            raise UnauthorizedError(HEADER, f"the token's sub is no player: {error.problem}") from None

    def _key(self, token: str) -> PyJWK:
        header = jwt.get_unverified_header(token)
        # The key alone decides the algorithm; what the token says is only compared with it.
        if header.get("alg") not in ALGORITHMS:
            raise UnauthorizedError(HEADER, f"expected a token signed with one of {', '.join(sorted(ALGORITHMS))}")
        name = header.get("kid", "")
        keys = self.keys.keys()
        if not name and len(keys) == 1:
            return next(iter(keys.values()))
        key = keys.get(name) or self.keys.look_again().get(name)
        if key is None:
            raise UnauthorizedError(HEADER, "the token's key is unknown")
        return key
