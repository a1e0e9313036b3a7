"""Sessions: they number their events from 0."""

import uuid

IDLE_MILLISECONDS = 30 * 60 * 1000
"""A session ends when this long no event was recorded."""


class Session:
    """The current session of a client; a process never continues that of another."""

    def __init__(self) -> None:
        self._latest: int | None = None
        self.start()

    def start(self) -> str:
        """Start a new session; return its id."""
        self.id = str(uuid.uuid4())
        self.sequence = 0
        self._latest = None
        return self.id

    def enter(self, now: int) -> None:
        """Start a new session if the last event is too long ago."""
        if self._latest is not None and now - self._latest > IDLE_MILLISECONDS:
            self.start()

    def advance(self, now: int) -> None:
        """Count the event that was just recorded."""
        self.sequence += 1
        self._latest = now
