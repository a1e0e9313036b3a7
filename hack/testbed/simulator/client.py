"""A player's HTTP client: one keep-alive connection to the API, and the meaning of each answer."""

import http.client
import json
from typing import NamedTuple

from game_api.log.event_log import Outcome
from game_api.origin import KEY_HEADER
from game_api.replies import OUTCOME_HEADER, RETRY_SECONDS

from testbed.settings import HOST
from testbed.simulator.moves import Move

TIMEOUT = 10.0
"""Seconds; the API promises 5."""


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
    def __init__(self, port: int, timeout: float = TIMEOUT) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=timeout)

    def send(self, move: Move) -> Answer:
        try:
            if self._connection.sock is None:
                self._connection.connect()
        except OSError:
            # Nothing has been sent.
            return Answer(Outcome.REFUSED)
        try:
            self._connection.request("POST", move.path, headers=_headers(move))
            response = self._connection.getresponse()
            return _meaning(response, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            return Answer(Outcome.UNKNOWN)

    def close(self) -> None:
        self._connection.close()


def _headers(move: Move) -> dict[str, str]:
    return {
        "Host": move.player,
        "User-Agent": "gamelake-play",
        "Accept": "application/json",
        KEY_HEADER: move.key,
    }


def _meaning(response: http.client.HTTPResponse, body: bytes) -> Answer:
    pause = min(RETRY_SECONDS, int(response.headers.get("Retry-After", RETRY_SECONDS)))
    if response.status == 200:
        place = json.loads(body)
        return Answer(Outcome.ACKED, place["partition"], place["offset"])
    if response.status == 503 and OUTCOME_HEADER in response.headers:
        return Answer(Outcome(response.headers[OUTCOME_HEADER]), pause=pause)
    if response.status == 409:
        return Answer(Outcome.REFUSED, forbidden=True)
    return Answer(Outcome.REFUSED if 400 <= response.status < 500 else Outcome.UNKNOWN, pause=pause)
