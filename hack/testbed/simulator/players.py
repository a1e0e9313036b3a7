"""Players: they send requests over HTTP, and write every answer to the ledger."""

import http.client
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from testbed.settings import HOST, Settings, SettingsError
from testbed.simulator.client import Client
from testbed.simulator.ledger import Attempt, Ledger
from testbed.simulator.moves import Move, moves
from testbed.simulator.scenario import Requests
from testbed.simulator.sender import Sender
from testbed.simulator.tally import Tally
from testbed.simulator.tokens import ClaimedTokens, IssuedTokens, Tokens

_PAUSE = 0.05
"""Seconds between two checks whether all players have ended."""

_CLIENT = {"User-Agent": "gamelake-demo", "Accept": "*/*"}


def play(settings: Settings, scenario: Iterable[Requests]) -> Counter[int]:
    """Send every request in order over one connection; return the number of answers by status."""
    answers: Counter[int] = Counter()
    connection = http.client.HTTPConnection(HOST, settings.ports.api, timeout=10)
    try:
        for requests in scenario:
            statuses = Counter(_status(connection, requests) for _ in range(requests.times))
            print(f"  {requests.host:32}{requests.times:4} x {requests.path:20} {_counts(statuses)}", flush=True)
            answers += statuses
    finally:
        connection.close()
    return answers


def _status(connection: http.client.HTTPConnection, requests: Requests) -> int:
    connection.request("GET", requests.path, headers={"Host": requests.host, **_CLIENT})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _counts(statuses: Counter[int]) -> str:
    return ", ".join(f"{count} answered {status}" for status, count in sorted(statuses.items()))


class Players:
    """Simulated players that play while the block lasts, or until their time is over.

    An open loop: `rate` events per second are due, however long the answers take. An event that finds all `connections`
    busy is late; one that is still late when the `seconds` are over is dropped. An event that was not acknowledged is
    retried under the same key, up to `retries` times. Where the API wants tokens, each request has that of its player:
    `issue` makes it for a name, or else the first use of the name has returned it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        players: int = 20,
        rate: float = 50,
        seconds: float = math.inf,
        seed: int = 1,
        retries: int = 3,
        connections: int = 32,
        issue: Callable[[str], str] | None = None,
    ) -> None:
        if players < 1 or rate <= 0 or seconds <= 0:
            raise SettingsError("players, rate, seconds: expected more than 0")
        self._port = settings.ports.api
        self._rate, self._seconds, self._retries, self._connections = rate, seconds, retries, connections
        self._ledger = Ledger(settings)
        self._moves = moves(seed, players, self._ledger.run)
        self._tokens: Tokens = IssuedTokens(issue) if issue else ClaimedTokens(settings.data / "players/tokens.jsonl")
        self._taken = 0
        self._began = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._tally = Tally()
        self._playing: list[Future[None]] = []
        self._ended: list[None] = []

    @property
    def ledger(self) -> Path:
        return self._ledger.path

    @property
    def tally(self) -> Tally:
        """Return a copy of the counts so far."""
        with self._lock:
            return self._tally.copy()

    @property
    def late(self) -> float:
        """Return how many seconds the next event is late."""
        with self._lock:
            return max(0.0, min(time.monotonic(), self._end) - self._began - self._taken / self._rate)

    @property
    def _end(self) -> float:
        return self._began + self._seconds

    def __enter__(self) -> "Players":
        self._began = time.monotonic()
        pool = ThreadPoolExecutor(self._connections, thread_name_prefix="player")
        self._playing = [pool.submit(self._play) for _ in range(self._connections)]
        pool.shutdown(wait=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.over(math.inf)
        self._ledger.close()
        for player in self._playing:
            player.result()

    def over(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for all players to end; tell whether they have."""
        # No lock here: Ctrl-C may leave a lock that Python code has acquired, as in concurrent.futures.wait, locked.
        deadline = time.monotonic() + timeout
        while len(self._ended) < self._connections:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE)
        return True

    def _play(self) -> None:
        try:
            self._send_moves()
        finally:
            self._ended.append(None)

    def _send_moves(self) -> None:
        client = Client(self._port, self._tokens)
        sender = Sender(client, self._ledger, self._retries, self._stop, self._add_attempt)
        while drawn := self._next_move():
            move, due = drawn
            if self._stop.wait(due - time.monotonic()):
                break
            outcomes = sender.send(move)
            with self._lock:
                self._tally.add_event(outcomes)
        client.close()

    def _add_attempt(self, attempt: Attempt) -> None:
        with self._lock:
            self._tally.add_attempt(attempt)

    def _next_move(self) -> tuple[Move, float] | None:
        """Return the next move and when it is due; None when the time is over."""
        with self._lock:
            due = self._began + self._taken / self._rate
            if due >= self._end or time.monotonic() > self._end:
                return None
            self._taken += 1
            return next(self._moves), due
