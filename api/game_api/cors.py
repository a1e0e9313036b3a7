"""Cross-origin requests: which web pages' scripts may use the API."""

from collections.abc import Collection

from game_api.identity.credentials import AUTHORIZATION, TOKEN_HEADER
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.replies import OUTCOME_HEADER, Response
from game_api.request import Request
from game_api.trace_context import TRACEPARENT, TRACESTATE
from game_api.v1.rate_headers import LIMIT_HEADER, POLICY_HEADER

ALL = "*"

_ALLOWED_HEADERS = (
    f"Accept, Content-Type, Content-Encoding, {AUTHORIZATION}, {KEY_HEADER}, {PLAYER_HEADER}, {TRACEPARENT}, "
    f"{TRACESTATE}"
)
_EXPOSED_HEADERS = f"Retry-After, {OUTCOME_HEADER}, {TOKEN_HEADER}, {LIMIT_HEADER}, {POLICY_HEADER}"
_MAX_AGE = "600"


def add_headers(request: Request, response: Response, origins: Collection[str]) -> None:
    """Let pages of these origins use the API. Without any, no header is added and browsers allow none."""
    if not origins:
        return
    headers = response.headers
    vary = [value for value in headers.get("Vary", "").split(", ") if value]
    headers["Vary"] = ", ".join(vary if "Origin" in vary else [*vary, "Origin"])
    if not is_allowed(request, origins):
        return
    headers["Access-Control-Allow-Origin"] = ALL if ALL in origins else request.headers["origin"]
    headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
    if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
        headers["Access-Control-Allow-Methods"] = headers.get("Allow", "")
        headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        headers["Access-Control-Max-Age"] = _MAX_AGE


def is_allowed(request: Request, origins: Collection[str]) -> bool:
    """Tell whether the request comes from a page that may use the API."""
    origin = request.headers.get("origin")
    return origin is not None and (ALL in origins or origin in origins)
