"""The players' ledger: a file for each run, with every attempt to send an event and its outcome."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
from game_api.log.event_log import Outcome

from testbed.settings import Settings

KEY_PREFIX = "play-"
"""Prefix of every key, which distinguishes players' events from all others."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for one event; it has no outcome while it is in flight."""

    key: str
    player: str
    event_type: str
    attempt: int
    outcome: Outcome | None = None
    partition: int | None = None
    offset: int | None = None
    time: float = 0.0
    """Seconds since the epoch."""
    ms: float | None = None
    """Milliseconds until the answer."""
    forbidden: bool = False
    """Whether the rules of the game refused it; then it is not retried."""


class Ledger:
    """The ledger of one run, for writing.

    An attempt is written before it is sent, and again with its answer. So an attempt that was in flight when the
    players were killed is in the ledger too, with an unknown outcome.
    """

    def __init__(self, settings: Settings) -> None:
        self.run = f"{KEY_PREFIX}{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:6]}"
        self.path = folder(settings) / f"{self.run}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: each line is one system call, so lines of several threads do not mix.
        self._file = self.path.open("ab", buffering=0)

    def write(self, attempt: Attempt) -> None:
        line = orjson.dumps(replace(attempt, time=time.time()), option=orjson.OPT_APPEND_NEWLINE)
        if self._file.write(line) < len(line):
            raise OSError(f"{self.path}: expected to write {len(line)} bytes, wrote fewer")

    def close(self) -> None:
        self._file.close()


def folder(settings: Settings) -> Path:
    return settings.data / "ledger"


def run_of(key: str) -> str:
    """Return the run that a key belongs to."""
    return key.rpartition("-")[0]


def attempts(settings: Settings) -> Iterator[Attempt]:
    """Yield every attempt of every run once, with its outcome; an attempt without an answer is unknown."""
    for path in sorted(folder(settings).glob("*.jsonl")):
        in_flight: dict[tuple[str, int], Attempt] = {}
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    # Still being written, or cut short by a kill: the request is not sent, or its answer not recorded.
                    break
                attempt = Attempt(**orjson.loads(line))
                if attempt.outcome is None:
                    in_flight[attempt.key, attempt.attempt] = attempt
                else:
                    del in_flight[attempt.key, attempt.attempt]
                    yield replace(attempt, outcome=Outcome(attempt.outcome))
        for attempt in in_flight.values():
            yield replace(attempt, outcome=Outcome.UNKNOWN)
