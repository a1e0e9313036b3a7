"""A player's HTTP client: one keep-alive connection to the API, and the meaning of each answer."""

import http.client
from typing import Any, NamedTuple

import orjson
from game_api.identity.credentials import AUTHORIZATION, TOKEN_HEADER
from game_api.log.event_log import Outcome
from game_api.origin import KEY_HEADER, PLAYER_HEADER
from game_api.replies import JSON, RETRY_SECONDS
from game_api.v1.paths import action_path
from game_api.v1.problems import MEDIA_TYPE as PROBLEM
from game_events import EVENT_TYPES

from testbed.settings import HOST
from testbed.simulator.moves import Move
from testbed.simulator.tokens import NO_TOKENS, Tokens

TIMEOUT = 10.0
"""Seconds; the API promises 5."""


class Request(NamedTuple):
    """A POST."""

    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """The outcome of an attempt: the event's place if it was acknowledged, else the pause before the next attempt.

    `forbidden` means that the rules of the game refused it, and would refuse it again.
    """

    outcome: Outcome
    partition: int | None = None
    offset: int | None = None
    pause: float = RETRY_SECONDS
    forbidden: bool = False


class Client:
    def __init__(self, port: int, tokens: Tokens = NO_TOKENS, timeout: float = TIMEOUT) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
        self._tokens = tokens

    def send(self, move: Move) -> Answer:
        try:
            if self._connection.sock is None:
                self._connection.connect()
        except OSError:
            # Nothing has been sent.
            return Answer(Outcome.REFUSED)
        try:
            with self._tokens.lent(move.player) as token:
                response = self._request(move, token)
                body = response.read()
                self._tokens.keep(move.player, token, response.status, response.headers.get(TOKEN_HEADER, ""))
            return _meaning(response, body)
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer(Outcome.UNKNOWN)

    def close(self) -> None:
        self._connection.close()

    def _request(self, move: Move, token: str) -> http.client.HTTPResponse:
        request = request_for(move, token)
        self._connection.request("POST", request.path, request.body, request.headers)
        return self._connection.getresponse()


def request_for(move: Move, token: str = "") -> Request:
    headers = {
        # As in the first version, whose queries tell players apart by it.
        "Host": move.player,
        PLAYER_HEADER: move.player,
        "User-Agent": "gamelake-play",
        "Accept": JSON,
        "Content-Type": JSON,
        KEY_HEADER: move.key,
    }
    if token:
        headers[AUTHORIZATION] = f"Bearer {token}"
    return Request(action_path(EVENT_TYPES[move.event_type]), headers, orjson.dumps(move.parameters))


def _meaning(response: http.client.HTTPResponse, body: bytes) -> Answer:
    pause = min(RETRY_SECONDS, int(response.headers.get("Retry-After", RETRY_SECONDS)))
    content = _content(body)
    if response.status == 200:
        if "offset" in content:
            return Answer(Outcome.ACKED, content["partition"], content["offset"])
        # A proxy's page says nothing about the event.
        return Answer(Outcome.UNKNOWN)
    if response.status == 409:
        return Answer(Outcome.REFUSED, forbidden=True)
    if 400 <= response.status < 500:
        return Answer(Outcome.REFUSED, pause=pause)
    is_problem = response.headers.get_content_type() == PROBLEM
    refused = is_problem and response.status == 503 and content.get("outcome") == Outcome.REFUSED
    return Answer(Outcome.REFUSED if refused else Outcome.UNKNOWN, pause=pause)


def _content(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; an empty one if there is none."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}
