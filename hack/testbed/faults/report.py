"""The outcome of a campaign: a row for each kind of fault, and their table in Markdown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testbed.faults.fault import Fault


@dataclass(frozen=True)
class Outcome:
    """One fault: `seconds` from its end until a new event was visible, and what the ledger found afterwards."""

    fault: Fault
    seconds: float
    hit: str | None
    lost: int
    doubled: int
    differing: int

    @property
    def ok(self) -> bool:
        """Whether the fault did no harm. A late recovery is a missed target, because other work can slow a machine."""
        return not (self.lost or self.doubled or self.differing)

    @property
    def met(self) -> bool:
        return self.seconds <= self.fault.limit

    def __str__(self) -> str:
        hit = f"{self.hit}; " if self.hit else ""
        missed = "" if self.met else f" (target of {self.fault.limit:.0f} s: missed)"
        return f"{hit}{self.seconds:.1f} s{missed}, {'ok' if self.ok else 'NOT OK'}"


@dataclass(frozen=True)
class Row:
    """All faults of one kind: `recovery` is the longest one, and `target` the longest allowed one, in seconds."""

    fault: str
    times: int
    lost: int
    doubled: int
    differing: int
    recovery: float
    target: float
    met: bool

    def __str__(self) -> str:
        verdict = "met" if self.met else "**missed**"
        errors = (f"**{count}**" if count else "0" for count in (self.lost, self.doubled, self.differing))
        cells = (self.fault, str(self.times), *errors, f"{self.recovery:.0f} s")
        return f"| {' | '.join(cells)} | {self.target:.0f} s: {verdict} |"


def rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """Sum up the outcomes by fault, in the order in which the faults first occur."""
    by_fault: dict[Fault, list[Outcome]] = {}
    for outcome in outcomes:
        by_fault.setdefault(outcome.fault, []).append(outcome)
    return [_row(fault, own) for fault, own in by_fault.items()]


def _row(fault: Fault, outcomes: Sequence[Outcome]) -> Row:
    longest = max(outcome.seconds for outcome in outcomes)
    return Row(
        fault=f"{fault.name}{_hits(outcomes)}",
        times=len(outcomes),
        lost=sum(outcome.lost for outcome in outcomes),
        doubled=sum(outcome.doubled for outcome in outcomes),
        differing=sum(outcome.differing for outcome in outcomes),
        recovery=round(longest, 1),
        target=fault.limit,
        met=all(outcome.met for outcome in outcomes),
    )


def _hits(outcomes: Iterable[Outcome]) -> str:
    hits = Counter(outcome.hit for outcome in outcomes if outcome.hit)
    return f" ({', '.join(f'{count} {hit}' for hit, count in hits.items())})" if hits else ""


def table(rows: Iterable[Row]) -> str:
    head = "| fault | times | lost | doubled | differing | longest recovery | target |\n|---|---|---|---|---|---|---|"
    return "\n".join([head, *map(str, rows)])
