"""How the OpenAPI document describes credentials."""

from typing import Any

from game_api.identity.credentials import COOKIE_NAME, TOKEN_HEADER
from game_api.identity.settings import CLAIMED, OPEN

Json = dict[str, Any]

_TOKEN, _COOKIE = "token", "cookie"

SCHEMES: Json = {
    _TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "A player's token: a JSON Web Token of the identity provider, or the service's own. For `POST /events` "
            "also an ingestion key."
        ),
    },
    _COOKIE: {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE_NAME,
        "description": "The token in a browser, as the service sets it for its own pages; with https `__Host-player`",
    },
}

HANDED_OUT: Json = {
    TOKEN_HEADER: {
        "description": "With the first use of a name, and before a token expires: the token for the next requests",
        "schema": {"type": "string"},
    }
}
"""The header of responses that may hand out a token."""


def security(mode: str) -> Json:
    """Return what an operation says about credentials: nothing if none are needed."""
    if mode == OPEN:
        return {}
    needed: list[Json] = [{_TOKEN: []}, {_COOKIE: []}]
    # An empty requirement: the first use of a name needs no credential.
    return {"security": [{}, *needed] if mode == CLAIMED else needed}
