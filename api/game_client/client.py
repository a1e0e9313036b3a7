"""The client of a game: what a game calls."""

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from game_client.backoff import Backoff
from game_client.drops import Dropped, Reason
from game_client.errors import ClientError, ForkedError, InvalidEventError
from game_client.queue import Queue
from game_client.sender import MOST_EVENTS, Pace, Sender
from game_client.session import Session
from game_client.transport import Transport

MOST_EVENT_BYTES = 64 << 10
_MADE = frozenset({"event_id", "occurred_at", "sent_at", "sequence", "session_id", "device_id", "player", "event_type"})
"""The fields that the client gives to each event."""


class Client:
    """Delivers one player's events, each once.

    `path` is the file of the queue, which is made when consent is given. `context` holds fields that every event gets,
    such as `platform` and `app_version`. Threads may share a client; processes may not.
    """

    def __init__(
        self,
        url: str,
        path: str | Path,
        *,
        player: str | None = None,
        token: str | None = None,
        context: Mapping[str, Any] | None = None,
        batch_events: int = 100,
        batch_seconds: float = 5.0,
        most_events: int = 100_000,
        most_bytes: int = 64 << 20,
        first_retry_seconds: float = 1.0,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        if not 1 <= batch_events <= MOST_EVENTS:
            raise ValueError(f"batch_events: expected 1 to {MOST_EVENTS}, got {batch_events}")
        Transport(url)
        self._url = url
        self._path = Path(path)
        self._player = player
        self._token = token
        self._context = dict(context or {})
        self._pace = Pace(batch_events, batch_seconds)
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._first_retry_seconds = first_retry_seconds
        self._clock = clock
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._session = Session()
        self._queue: Queue | None = None
        self._sender: Sender | None = None
        self._is_closed = False
        if self._path.exists():
            with self._changed:
                self._open()

    def record(self, event_type: str, **fields: Any) -> str | None:  # noqa: ANN401 JSON
        """Store an event on disk and return its id, or None if it was not stored: without consent, or dropped.

        Raise InvalidEventError if it cannot be JSON, is too large, or has a field that the client makes.
        """
        with self._open_client():
            if not self._sender or not self._queue:
                return None
            now = self._clock()
            self._session.enter(now)
            event_id = str(uuid.uuid4())
            body = self._encode(event_type, fields, event_id, now, self._queue.fact("device_id"))
            is_full = self._queue.events >= self._most_events or self._queue.bytes + len(body) > self._most_bytes
            if is_full:
                self._queue.drop_new(self._session.id, self._session.sequence, Reason.QUEUE_FULL, now)
            else:
                self._queue.append(self._session.id, self._session.sequence, body)
                self._sender.note_event()
            self._session.advance(now)
            return None if is_full else event_id

    def _encode(
        self, event_type: str, fields: Mapping[str, Any], event_id: str, now: int, device_id: str | None
    ) -> bytes:
        if not _MADE.isdisjoint(fields):
            raise InvalidEventError(f"{min(_MADE.intersection(fields))}: expected none: the client makes it")
        event = {
            "event_type": event_type,
            "event_id": event_id,
            "occurred_at": now,
            "session_id": self._session.id,
            "sequence": self._session.sequence,
            "device_id": device_id,
            **self._context,
            **fields,
        }
        try:
            body = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidEventError(f"{event_type}: cannot be encoded as JSON: {error}") from None
        if len(body) > MOST_EVENT_BYTES:
            raise InvalidEventError(f"{event_type}: expected at most {MOST_EVENT_BYTES} bytes of JSON, got {len(body)}")
        return body

    def flush(self, timeout: float = 30.0) -> bool:
        """Send what waits, for at most so many seconds; tell whether the queue is empty."""
        with self._open_client():
            return self._sender.flush(timeout) if self._sender else True

    def session(self) -> str:
        """Start a new session; return its id."""
        with self._open_client():
            return self._session.start()

    def context(self, **fields: Any) -> None:  # noqa: ANN401 JSON
        """Set fields that the following events get; None removes one."""
        with self._open_client():
            given = {**self._context, **fields}
            self._context = {name: value for name, value in given.items() if value is not None}

    def authorize(self, token: str) -> None:
        """Use a new token from now on."""
        with self._open_client():
            self._token = token
            if self._sender:
                self._sender.set_token(token)

    def consent(self, is_given: bool) -> None:
        """Begin to store and send events; or end the request underway, and delete everything but the player's token."""
        with self._open_client():
            if is_given:
                self._open()
                if self._queue and not self._sender:
                    self._queue.set_fact("consent", "given")
                    self._start(self._queue)
                return
            sender, self._sender = self._sender, None
        if sender:
            sender.end()
        with self._changed:
            self._session.start()
            if self._queue:
                self._queue.forget()

    @property
    def has_consent(self) -> bool:
        return self._sender is not None

    @property
    def token(self) -> str | None:
        """The player's token: the latest that the service sent or the game gave."""
        return self._sender.token if self._sender else self._token

    @property
    def waiting(self) -> int:
        """How many events the queue holds."""
        with self._open_client():
            return self._queue.events if self._queue else 0

    @property
    def dropped(self) -> list[Dropped]:
        """What was dropped, the oldest first; the newest 10,000 ranges."""
        with self._open_client():
            return self._queue.dropped() if self._queue else []

    @property
    def dropped_events(self) -> int:
        """How many events were dropped, with those whose ranges are no longer listed."""
        with self._open_client():
            return int(self._queue.fact("dropped") or 0) if self._queue else 0

    def close(self, timeout: float = 5.0) -> bool:
        """Flush and end; tell whether the queue is empty. The next client of this path sends what is left."""
        if self._is_closed:
            return True
        is_empty = self.flush(timeout)
        with self._changed:
            sender, self._sender = self._sender, None
            self._is_closed = True
        if sender:
            sender.end()
        if self._queue:
            self._queue.close()
        return is_empty

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        """Open the queue, and start to send if consent was given."""
        if self._queue is None:
            self._queue = Queue(self._path, self._player)
            if self._queue.fact("consent"):
                self._start(self._queue)

    def _start(self, queue: Queue) -> None:
        queue.belong_to(self._player)
        if not queue.fact("device_id"):
            queue.set_fact("device_id", str(uuid.uuid4()))
        backoff = Backoff(Random(), self._first_retry_seconds)  # noqa: S311 jitter
        self._sender = Sender(
            queue,
            Transport(self._url),
            self._changed,
            self._pace,
            backoff,
            self._clock,
            self._player,
            self._token or queue.fact("token"),
        )

    @contextmanager
    def _open_client(self) -> Iterator[None]:
        # Before the lock: a child may have inherited it locked.
        if os.getpid() != self._process:
            raise ForkedError("the client was made before a fork: make one with another path in the child")
        with self._changed:
            if self._is_closed:
                raise ClientError("the client is closed")
            yield
