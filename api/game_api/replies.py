"""Responses: text for simple clients, JSON for clients that accept it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import orjson
from game_events.codec import printable
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from game_api.log.event_log import Outcome, Receipt
from game_api.request import Request

RETRY_SECONDS = 1
OUTCOME_HEADER = "Event-Outcome"
_MAX_ACCEPT = 512

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(slots=True)
class Response:
    """`label` names the request's path in the metrics: a finite number of names."""

    body: bytes
    status: int = 200
    media_type: str = TEXT
    headers: dict[str, str] = field(default_factory=dict)
    label: str = "unknown"


def json_reply(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, JSON)


def reply(request: Request, text: str, body: Mapping[str, Any], status: int = 200) -> Response:
    """Respond with `body` if the client accepts JSON, otherwise with `text`."""
    if accepts_json(request.headers.get("accept", "")):
        return json_reply(body, status)
    return Response(text.encode(), status)


def accepts_json(accept: str) -> bool:
    """Tell whether a client with this Accept header prefers JSON to text."""
    # Parsing the header is the expensive part, and grows with its length. Few clients mention JSON in it.
    if "json" not in accept or len(accept) > _MAX_ACCEPT:
        return False
    if accept == JSON:
        return True
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(["text/plain", "application/json"]) == "application/json"


def error_reply(request: Request, problem: str, status: int, field: str | None = None) -> Response:
    problem = printable(problem)
    field = printable(field) if field else None
    return reply(request, f"{problem}\n", {"error": problem} | ({"field": field} if field else {}), status)


def unwritten_reply(request: Request, receipt: Receipt, event_id: str, retry: str) -> Response:
    """Respond 503: the outcome of an event that Kafka did not acknowledge, and how and when to retry."""
    problem = unwritten(receipt, retry)
    body = {"error": problem, "outcome": receipt.outcome.value, "event_id": event_id}
    return retry_later(reply(request, f"{problem}\n", body, 503), receipt.outcome)


def unwritten(receipt: Receipt, retry: str) -> str:
    if receipt.outcome is Outcome.REFUSED:
        return f"The event was not written: {receipt.reason}"
    return f"The event may have been written, {retry}: {receipt.reason}"


def refused_reply(request: Request, problem: str) -> Response:
    """Respond 503: nothing was written, and nothing was decided."""
    body = {"error": problem, "outcome": Outcome.REFUSED.value}
    return retry_later(reply(request, f"{problem}\n", body, 503), Outcome.REFUSED)


def limited_reply(request: Request, problem: str, field: str, seconds: float) -> Response:
    """Respond 429: too many requests; retry after this many seconds."""
    response = error_reply(request, problem, 429, field)
    response.headers["Retry-After"] = str(max(1, ceil(seconds)))
    return response


def retry_later(response: Response, outcome: Outcome) -> Response:
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    response.headers[OUTCOME_HEADER] = outcome.value
    return response
