"""What a campaign came to: a table, in Markdown, for README."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testbed.faults.fault import Fault


@dataclass(frozen=True)
class Result:
    """One fault: `seconds` from its end until an event sent then was visible; what the ledger found after it."""

    fault: Fault
    seconds: float
    hit: str | None
    lost: int
    doubled: int
    differing: int

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.differing) and self.seconds <= self.fault.limit

    def __str__(self) -> str:
        return f"{f'{self.hit}; ' if self.hit else ''}{self.seconds:.1f} s, {'good' if self.good else 'NOT GOOD'}"


def table(results: Sequence[Result]) -> str:
    lines = [
        "| fault | times | lost | doubled | longest recovery | reach |",
        "|---|---|---|---|---|---|",
    ]
    for fault in dict.fromkeys(result.fault for result in results):
        own = [result for result in results if result.fault == fault]
        longest = max(result.seconds for result in own)
        verdict = "reached" if longest <= fault.limit else "**missed**"
        lines.append(
            f"| {fault.name}{_hits(own)} | {len(own)} | {sum(r.lost for r in own)} | {sum(r.doubled for r in own)} "
            f"| {longest:.0f} s | {fault.limit:.0f} s: {verdict} |"
        )
    return "\n".join(lines)


def _hits(results: Iterable[Result]) -> str:
    hits = Counter(result.hit for result in results if result.hit)
    return f" ({', '.join(f'{count} {hit}' for hit, count in hits.items())})" if hits else ""
