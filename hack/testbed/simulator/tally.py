"""Counts and latencies of the attempts so far."""

from array import array
from collections import Counter
from dataclasses import dataclass, field

from game_api.log.event_log import Outcome

from testbed.percentile import percentile
from testbed.simulator.ledger import Attempt


@dataclass
class Tally:
    """An event is acked if one of its attempts was, refused if all of them were, and unknown otherwise."""

    attempts: Counter[Outcome] = field(default_factory=Counter)
    events: Counter[Outcome] = field(default_factory=Counter)
    forbidden: int = 0
    """Events that the rules of the game forbade; no other count includes them."""
    retried: int = 0
    """Events with more than one attempt."""
    milliseconds: "array[float]" = field(default_factory=lambda: array("f"))
    """Latency of each attempt, in the order of the answers."""

    def add_attempt(self, attempt: Attempt) -> None:
        if attempt.forbidden:
            self.forbidden += 1
            return
        self.attempts[attempt.outcome or Outcome.UNKNOWN] += 1
        self.milliseconds.append(attempt.ms or 0)

    def add_event(self, outcomes: list[Outcome]) -> None:
        for outcome in (Outcome.ACKED, Outcome.UNKNOWN, Outcome.REFUSED):
            if outcome in outcomes:
                self.events[outcome] += 1
                break
        self.retried += len(outcomes) > 1

    def percentile(self, share: float, last: int = 0) -> float:
        """Return this percentile of the latencies in ms, of the `last` attempts only unless it is 0."""
        ordered = sorted(self.milliseconds[-last:])
        return percentile(ordered, share) if ordered else 0.0

    def copy(self) -> "Tally":
        return Tally(self.attempts.copy(), self.events.copy(), self.forbidden, self.retried, self.milliseconds[:])
