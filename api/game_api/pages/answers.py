"""Answers that are kept, and asked for anew while somebody watches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import Any

FRESH_SECONDS = 5.0
"""For so long an answer is not asked for again."""
_SHARE = 10
"""Nor for so many times as long as it took: of a large table, too, watching takes Trino a tenth of its time."""
_STALE_SECONDS = 60.0
"""After which it is asked for in any case: it may have taken long only because Trino had just started."""

Rows = list[dict[str, Any]]


class AwayError(Exception):
    """Whom all questions go to does not answer."""


class QuestionError(Exception):
    """Of one question: it was not answered."""


@dataclass(frozen=True)
class Answer:
    """`asked_at`, in seconds since the epoch, and `seconds`, which it took, are of the `rows`; `error` is of later."""

    rows: Rows | None = None
    asked_at: float | None = None
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Away:
    since: float
    problem: str


class Answers:
    """The latest answer to each question, asked in their order. One refresh runs at a time, for all who look."""

    def __init__(self, questions: Mapping[str, Callable[[], Rows]], fresh: float = FRESH_SECONDS) -> None:
        self._questions = questions
        self._fresh = fresh
        self._lock = Lock()
        self._answers = {name: Answer() for name in questions}
        self._due = dict.fromkeys(questions, 0.0)
        self._away: Away | None = None
        self._asking = False
        self._asked_once = Event()

    def look(self, patience: float) -> dict[str, Any]:
        """Return what is known, at once; the first to look wait up to `patience` seconds."""
        with self._lock:
            if not self._asking and monotonic() >= min(self._due.values()):
                self._asking = True
                # A worker that is told to end does not wait for it.
                Thread(target=self._refresh, name="dashboard", daemon=True).start()
        self._asked_once.wait(patience)
        with self._lock:
            return {
                "now": time(),
                "asking": self._asking,
                "away": self._away,
                "queries": dict(self._answers),
            }

    def _refresh(self) -> None:
        try:
            for name, ask in self._questions.items():
                if monotonic() >= self._due[name]:
                    self._answer(name, ask)
            with self._lock:
                self._away = None
        except AwayError as error:
            with self._lock:
                self._away = Away(self._away.since if self._away else time(), str(error))
                self._due = dict.fromkeys(self._due, monotonic() + self._fresh)
        finally:
            with self._lock:
                self._asking = False
            self._asked_once.set()

    def _answer(self, name: str, ask: Callable[[], Rows]) -> None:
        asked_at, began = time(), monotonic()
        old = self._answers[name]
        try:
            rows = ask()
        except QuestionError as error:
            answer = Answer(old.rows, old.asked_at, old.seconds, str(error))
        else:
            answer = Answer(rows, asked_at, monotonic() - began)
        with self._lock:
            self._answers[name] = answer
            self._due[name] = began + max(self._fresh, min(_STALE_SECONDS, _SHARE * (monotonic() - began)))
