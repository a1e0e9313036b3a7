"""A sender: sends one event after another, with retries, and writes every attempt to the ledger."""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event

from game_api.log.event_log import Outcome

from testbed.simulator.client import Answer, Client
from testbed.simulator.ledger import Attempt, Ledger
from testbed.simulator.moves import Move


class Sender:
    def __init__(
        self, client: Client, ledger: Ledger, retries: int, stop: Event, on_attempt: Callable[[Attempt], None]
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._retries = retries
        self._stop = stop
        self._on_attempt = on_attempt

    def send(self, move: Move) -> list[Outcome]:
        """Try until the event is acknowledged, `retries` are used up, or `stop` is set; return each attempt's outcome.

        A move that the rules forbid has no outcome, because it is no event.
        """
        outcomes: list[Outcome] = []
        while True:
            answer = self._attempt(move, len(outcomes) + 1)
            if answer.forbidden:
                return outcomes
            outcomes.append(answer.outcome)
            if answer.outcome is Outcome.ACKED:
                if move.again:
                    outcomes.append(self._attempt(move, len(outcomes) + 1).outcome)
                return outcomes
            if len(outcomes) > self._retries or self._stop.wait(answer.pause):
                return outcomes

    def _attempt(self, move: Move, number: int) -> Answer:
        attempt = Attempt(move.key, move.player, move.event_type, number)
        self._ledger.write(attempt)
        began = time.monotonic()
        answer = self._client.send(move)
        ms = round((time.monotonic() - began) * 1000, 1)
        attempt = replace(
            attempt,
            outcome=answer.outcome,
            partition=answer.partition,
            offset=answer.offset,
            ms=ms,
            forbidden=answer.forbidden,
        )
        self._ledger.write(attempt)
        self._on_attempt(attempt)
        return answer
