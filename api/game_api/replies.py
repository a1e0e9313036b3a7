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
from game_api.v1.problems import MEDIA_TYPE
from game_api.v1.problems import problem as problem_details

RETRY_SECONDS = 1
OUTCOME_HEADER = "Event-Outcome"
_MAX_ACCEPT = 512

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(slots=True)
class Response:
    """`label` names the request's path in the metrics: a finite number of names.

    `members` are those that an error has as JSON, for one that is sent as text.
    """

    body: bytes
    status: int = 200
    media_type: str = TEXT
    headers: dict[str, str] = field(default_factory=dict)
    label: str = "unknown"
    members: Mapping[str, Any] | None = None


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


def problem_reply(
    request: Request, kind: str, problem: str, status: int, members: Mapping[str, Any] | None = None
) -> Response:
    """Respond with an error of this kind, which is one of `v1.problems`; `members` are further ones of its JSON."""
    if request.is_v1 or accepts_json(request.headers.get("accept", "")):
        return json_problem_reply(request, kind, problem, status, members or {})
    return Response(f"{problem}\n".encode(), status, members=members)


def json_problem_reply(request: Request, kind: str, problem: str, status: int, members: Mapping[str, Any]) -> Response:
    """Respond as `problem_reply` does, but always with JSON."""
    if request.is_v1:
        return Response(orjson.dumps(problem_details(kind, status, problem, members)), status, MEDIA_TYPE)
    return json_reply({"error": problem, **members}, status)


def error_reply(request: Request, kind: str, problem: str, status: int, field: str | None = None) -> Response:
    members = {"field": printable(field)} if field else None
    return problem_reply(request, kind, printable(problem), status, members)


def unwritten_reply(request: Request, receipt: Receipt, event_id: str, retry: str) -> Response:
    """Respond 503: the outcome of an event that Kafka did not acknowledge, and how and when to retry."""
    members = {"outcome": receipt.outcome.value, "event_id": event_id}
    response = problem_reply(request, unwritten_kind(receipt.outcome), unwritten(receipt, retry), 503, members)
    return retry_later(response, receipt.outcome)


def unwritten_kind(outcome: str) -> str:
    """Return the kind of problem that an event has which Kafka did not acknowledge."""
    return "not-written" if outcome == Outcome.REFUSED else "outcome-unknown"


def unwritten(receipt: Receipt, retry: str) -> str:
    if receipt.outcome is Outcome.REFUSED:
        return f"The event was not written: {receipt.reason}"
    return f"The event may have been written, {retry}: {receipt.reason}"


def refused_reply(request: Request, kind: str, problem: str) -> Response:
    """Respond 503: nothing was written, and nothing was decided."""
    response = problem_reply(request, kind, problem, 503, {"outcome": Outcome.REFUSED.value})
    return retry_later(response, Outcome.REFUSED)


def limited_reply(request: Request, problem: str, field: str, seconds: float) -> Response:
    """Respond 429: too many requests; retry after this many seconds."""
    response = error_reply(request, "too-many-requests", problem, 429, field)
    response.headers["Retry-After"] = str(max(1, ceil(seconds)))
    return response


def retry_later(response: Response, outcome: Outcome) -> Response:
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    response.headers[OUTCOME_HEADER] = outcome.value
    return response
