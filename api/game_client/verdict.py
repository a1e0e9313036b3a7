"""What a response means for the events of its request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from game_client.drops import Reason
from game_client.queue import Drop, Queued
from game_client.transport import Response

_WROTE_NOTHING = frozenset(range(400, 500)) - {408}


@dataclass
class Verdict:
    """Events in none of the lists stay, and remain in doubt. `halve` is why one event alone would be dropped."""

    done: list[Queued] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    unwritten: list[Queued] = field(default_factory=list)
    halve: Reason | None = None
    needs_token: bool = False
    detail: str = ""


def judge(response: Response, batch: Sequence[Queued], fields: frozenset[str]) -> Verdict:
    """Judge the response to a batch whose events have these fields."""
    problem = response.json
    detail = f"{response.status} {problem.get('detail', '')}".strip()
    results = problem.get("results")
    if response.status in (200, 207, 400, 503) and isinstance(results, list) and len(results) == len(batch):
        return _by_results(results, batch, detail)
    verdict = Verdict(detail=detail)
    if response.status in _WROTE_NOTHING or response.headers.get("Event-Outcome") == "refused":
        verdict.unwritten = list(batch)
    if response.status == 413:
        verdict.halve = Reason.TOO_LARGE
    elif response.status in (400, 403) and problem.get("field") in {"body", *fields}:
        verdict.halve = Reason.INVALID
    elif response.status in (401, 403):
        verdict.needs_token = True
    return verdict


def _by_results(results: Sequence[Any], batch: Sequence[Queued], detail: str) -> Verdict:
    verdict = Verdict(detail=detail)
    for event, result in zip(batch, results, strict=True):
        result = result if isinstance(result, dict) else {}
        if result.get("status") == 200:
            verdict.done.append(event)
        elif result.get("status") == 400:
            verdict.drops.append(Drop(event, Reason.INVALID, str(result.get("detail", ""))[:500]))
        elif result.get("outcome") == "refused":
            verdict.unwritten.append(event)
    return verdict
