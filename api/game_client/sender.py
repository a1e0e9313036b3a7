"""Sends the queue's events in a thread of its own, the oldest first, one request at a time."""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from game_client.backoff import Backoff
from game_client.drops import Reason
from game_client.queue import Drop, Queue, Queued
from game_client.transport import LostResponseError, NotConnectedError, Transport
from game_client.verdict import Verdict, judge

PATH = "/v1/events"
MOST_EVENTS = 1000
MOST_BYTES = 512 << 10
"""Of a request: events, and bytes of JSON before compression."""
DOUBT_MILLISECONDS = 23 * 3600 * 1000
"""How long an event in doubt is sent again: the service counts a key once for an hour longer."""
_SENT_AT_BYTES = 40
"""What `sent_at` adds to an event, at most."""
_END_SECONDS = 2.0
"""How long an attempt to connect delays the end."""
_USER_AGENT = "gamelake-client-python/0.1.0"

_LOG = logging.getLogger("game_client")


@dataclass(frozen=True)
class Pace:
    """A batch is sent when `events` wait, or `seconds` after the first of them."""

    events: int = 100
    seconds: float = 5.0


class Sender:
    """Shares `changed`, which guards the queue, with the client."""

    def __init__(
        self,
        queue: Queue,
        transport: Transport,
        changed: threading.Condition,
        pace: Pace,
        backoff: Backoff,
        clock: Callable[[], int],
        player: str | None,
        token: str | None,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._changed = changed
        self._pace = pace
        self._backoff = backoff
        self._clock = clock
        self._player = player
        self.token = token
        self._needs_token = False
        self._most_events = pace.events
        self._due: float | None = time.monotonic() if queue.events else None
        self._not_before = 0.0
        self._flushing = 0
        self._ends = False
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._run, name="game_client", daemon=True)
        self._thread.start()

    def note_event(self) -> None:
        """An event was appended; the caller holds `changed`."""
        now = time.monotonic()
        if self._due is None:
            self._due = now + self._pace.seconds
            self._changed.notify_all()
        if self._queue.events >= self._pace.events and self._due > now:
            self._due = now
            self._changed.notify_all()

    def set_token(self, token: str) -> None:
        """The caller holds `changed`."""
        self.token = token
        self._needs_token = False
        self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Send at once, for at most so many seconds; tell whether the queue is empty. The caller holds `changed`."""
        self._flushing += 1
        self._changed.notify_all()
        try:
            return self._changed.wait_for(lambda: not self._queue.events, timeout)
        finally:
            self._flushing -= 1

    def end(self) -> None:
        """Cut a request that is underway, and end the thread."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        self._transport.cut()
        self._thread.join(_END_SECONDS)
        with self._changed:
            self._is_abandoned = True

    def _run(self) -> None:
        while not self._ends:
            try:
                if batch := self._next_batch():
                    self._send(batch)
            except Exception:
                # Such as a full disk: the thread outlives it.
                _LOG.exception("the events stay in the queue")
                with self._changed:
                    self._wait(None)

    def _next_batch(self) -> list[Queued]:
        """Wait for a batch, and mark it as in doubt; return none when the thread has to end."""
        with self._changed:
            while not self._ends:
                if self._is_due():
                    self._drop_doubted()
                    batch = self._queue.oldest(self._most_events, MOST_BYTES - _SENT_AT_BYTES * self._most_events)
                    if batch:
                        self._queue.doubt(batch, self._clock())
                        return batch
                    self._due = None
                    self._changed.notify_all()
                else:
                    self._changed.wait(self._seconds_left())
            return []

    def _is_due(self) -> bool:
        return bool(self._queue.events) and not self._needs_token and self._seconds_left() == 0

    def _seconds_left(self) -> float | None:
        """Return how long to wait for the next batch, without an end if there is nothing to wait for."""
        if self._needs_token or not self._queue.events:
            return None
        now = time.monotonic()
        due = now if self._flushing else self._due or now
        return max(0.0, max(due, self._not_before) - now)

    def _drop_doubted(self) -> None:
        now = self._clock()
        old = self._queue.doubted(now - DOUBT_MILLISECONDS, now + DOUBT_MILLISECONDS)
        if old:
            detail = "an attempt more than 23 hours ago may have written it"
            self._queue.settle((), [Drop(event, Reason.IN_DOUBT, detail) for event in old], (), now)

    def _send(self, batch: Sequence[Queued]) -> None:
        retry_after = token = None
        try:
            response = self._transport.post(PATH, _body(batch, self._clock()), self._headers())
        except NotConnectedError as error:
            verdict = Verdict(unwritten=list(batch), detail=str(error))
        except LostResponseError as error:
            verdict = Verdict(detail=str(error))
        else:
            verdict = judge(response, batch, _fields(batch) if response.status in (400, 403) else frozenset())
            retry_after = response.headers.get("Retry-After")
            token = response.headers.get("Player-Token")
        if verdict.halve and len(batch) == 1:
            verdict.drops, verdict.unwritten = [Drop(batch[0], verdict.halve, verdict.detail)], []
        with self._changed:
            if self._is_abandoned:
                return
            if token:
                self.token = token
                self._queue.set_fact("token", token)
            self._queue.settle(verdict.done, verdict.drops, verdict.unwritten, self._clock())
            self._plan(verdict, len(batch), retry_after)
            self._changed.notify_all()

    def _plan(self, verdict: Verdict, sent: int, retry_after: str | None) -> None:
        """Decide when and how to send the next batch."""
        finished = len(verdict.done) + len(verdict.drops)
        if finished:
            self._backoff.reset()
        self._needs_token = verdict.needs_token
        self._most_events = max(1, sent // 2) if verdict.halve and not finished else self._pace.events
        if verdict.needs_token:
            _LOG.warning("nothing is sent until the client gets a new token: %s", verdict.detail)
        elif finished < sent and not verdict.halve:
            _LOG.info("%d events stay in the queue: %s", sent - finished, verdict.detail)
            self._wait(retry_after)
        elif self._queue.events:
            is_full = verdict.halve or self._queue.events >= self._pace.events
            self._due = time.monotonic() + (0 if is_full else self._pace.seconds)
        else:
            self._due = None

    def _wait(self, retry_after: str | None) -> None:
        self._due = self._not_before = time.monotonic() + self._backoff.seconds(retry_after)

    def _headers(self) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {"User-Agent": _USER_AGENT}
        if self._player:
            headers["X-Player"] = self._player.encode()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


def _body(batch: Sequence[Queued], now: int) -> bytes:
    sent_at = b',"sent_at":%d}' % now
    return b"[" + b",".join(event.body[:-1] + sent_at for event in batch) + b"]"


def _fields(batch: Sequence[Queued]) -> frozenset[str]:
    return frozenset().union(*(json.loads(event.body) for event in batch))
