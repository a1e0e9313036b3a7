"""Scripts of web pages elsewhere: which of them may use the API, by their pages' origins."""

from collections.abc import Collection

from flask import Flask, Response, request

from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.replies import OUTCOME_HEADER

ALL = "*"

_SENT = f"Accept, Content-Type, Content-Encoding, {KEY_HEADER}, {PLAYER_HEADER}"
_SHOWN = f"Retry-After, {OUTCOME_HEADER}"
_KEPT_SECONDS = "600"


def add_cors(app: Flask, origins: Collection[str]) -> None:
    """Let pages of these origins use the API; without any, browsers allow none, and nothing is added."""
    app.extensions["cors_origins"] = origins

    def answer_for(response: Response) -> Response:
        response.vary.add("Origin")
        if not is_allowed(origins):
            return response
        headers = response.headers
        headers["Access-Control-Allow-Origin"] = ALL if ALL in origins else request.headers["Origin"]
        headers["Access-Control-Expose-Headers"] = _SHOWN
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            headers["Access-Control-Allow-Methods"] = headers.get("Allow", "")
            headers["Access-Control-Allow-Headers"] = _SENT
            headers["Access-Control-Max-Age"] = _KEPT_SECONDS
        return response

    if origins:
        app.after_request(answer_for)


def is_allowed(origins: Collection[str]) -> bool:
    """Tell whether the request is of a page that may use the API."""
    origin = request.headers.get("Origin")
    return origin is not None and (ALL in origins or origin in origins)
