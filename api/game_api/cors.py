"""Cross-origin requests: which web pages' scripts may use the API."""

from collections.abc import Collection

from flask import Flask, Response, request

from game_api.identity.credentials import AUTHORIZATION, TOKEN_HEADER
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.replies import OUTCOME_HEADER

ALL = "*"

_ALLOWED_HEADERS = f"Accept, Content-Type, Content-Encoding, {AUTHORIZATION}, {KEY_HEADER}, {PLAYER_HEADER}"
_EXPOSED_HEADERS = f"Retry-After, {OUTCOME_HEADER}, {TOKEN_HEADER}"
_MAX_AGE = "600"


def add_cors(app: Flask, origins: Collection[str]) -> None:
    """Let pages of these origins use the API. Without any, no header is added and browsers allow none."""
    app.extensions["cors_origins"] = origins

    def add_headers(response: Response) -> Response:
        response.vary.add("Origin")
        if not is_allowed(origins):
            return response
        headers = response.headers
        headers["Access-Control-Allow-Origin"] = ALL if ALL in origins else request.headers["Origin"]
        headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            headers["Access-Control-Allow-Methods"] = headers.get("Allow", "")
            headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            headers["Access-Control-Max-Age"] = _MAX_AGE
        return response

    if origins:
        app.after_request(add_headers)


def is_allowed(origins: Collection[str]) -> bool:
    """Tell whether the request comes from a page that may use the API."""
    origin = request.headers.get("Origin")
    return origin is not None and (ALL in origins or origin in origins)
