"""The players' ledger: a file for each run, in it every attempt to get an event on record and what came of it."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
from game_api.log.event_log import Outcome

from testbed.settings import Settings

KEY_PREFIX = "play-"
"""Begins every key of every run, so that players' events are told from others'."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for one event; without an outcome while it is on its way."""

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
    """How long the answer took."""
    forbidden: bool = False
    """Whether the rules of the game forbade it: then it was refused, and is not tried again."""


class Ledger:
    """The ledger of one run, as it is written.

    An attempt is noted before it is sent and again when it was answered. So one that was on its way when the players
    were killed is in the ledger too: as unknown.
    """

    def __init__(self, settings: Settings) -> None:
        self.run = f"{KEY_PREFIX}{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:6]}"
        self.path = folder(settings) / f"{self.run}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: each line is one write of the system's, whole, whichever thread it comes from.
        self._file = self.path.open("ab", buffering=0)

    def note(self, attempt: Attempt) -> None:
        line = orjson.dumps(replace(attempt, time=time.time()), option=orjson.OPT_APPEND_NEWLINE)
        if self._file.write(line) < len(line):
            raise OSError(f"{self.path}: a line was cut short")

    def close(self) -> None:
        self._file.close()


def folder(settings: Settings) -> Path:
    return settings.data / "ledger"


def run_of(key: str) -> str:
    """Return the run that a key was made in."""
    return key.rpartition("-")[0]


def attempts(settings: Settings) -> Iterator[Attempt]:
    """Every attempt of every run, once, with its outcome; unknown where none was noted."""
    for path in sorted(folder(settings).glob("*.jsonl")):
        on_their_way: dict[tuple[str, int], Attempt] = {}
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    # Being written, or cut short by a kill: either way the request is not sent yet, or its answer late.
                    break
                attempt = Attempt(**orjson.loads(line))
                if attempt.outcome is None:
                    on_their_way[attempt.key, attempt.attempt] = attempt
                else:
                    del on_their_way[attempt.key, attempt.attempt]
                    yield replace(attempt, outcome=Outcome(attempt.outcome))
        for attempt in on_their_way.values():
            yield replace(attempt, outcome=Outcome.UNKNOWN)
