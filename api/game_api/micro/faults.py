"""Failures that a test asks for: of the next requests, in this order."""

from collections import deque
from dataclasses import dataclass, fields
from typing import Any

from game_api.errors import InvalidRequestError
from game_api.log.event_log import KAFKA_UNAVAILABLE, NO_REPORT, Outcome, Receipt

_MOST = 10_000


@dataclass(slots=True)
class Fault:
    """A kind of failure, and how many requests it is for."""

    status: int
    times: int = 1
    outcome: str = Outcome.REFUSED.value
    written: bool = False
    """Whether the log has the events nevertheless, so that only the acknowledgement is lost."""
    items: int = _MOST
    """How many events of a bulk request fail: the first ones."""
    retry_after: int = 1

    @property
    def receipt(self) -> Receipt:
        return KAFKA_UNAVAILABLE if self.outcome == Outcome.REFUSED else NO_REPORT


class Faults:
    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    @property
    def left(self) -> int:
        """How many requests will fail."""
        return sum(fault.times for fault in self._waiting)

    def add(self, fault: Fault) -> None:
        if self.left + fault.times > _MOST:
            raise InvalidRequestError("times", f"expected at most {_MOST} failures that wait, got more")
        self._waiting.append(fault)

    def take(self, status: int) -> Fault | None:
        """Return the fault for this request if the next one has this status."""
        if not self._waiting or self._waiting[0].status != status:
            return None
        fault = self._waiting[0]
        fault.times -= 1
        if not fault.times:
            self._waiting.popleft()
        return fault

    def delay(self) -> float:
        """Return the seconds for which this request is refused as above its limit; 0: it is not."""
        fault = self.take(429)
        return float(fault.retry_after) if fault else 0.0

    def clear(self) -> None:
        self._waiting.clear()


_STATUSES = (429, 503)
_NAMES = tuple(field.name for field in fields(Fault))
_FOR = {"outcome": 503, "written": 503, "items": 503, "retry_after": 429}
"""The members that only faults of one status have."""


def fault_of(members: Any) -> Fault:  # noqa: ANN401 JSON
    """Make a fault of a JSON object; raise InvalidRequestError if it is invalid."""
    if not isinstance(members, dict):
        raise InvalidRequestError("body", "expected a JSON object")
    for name, value in members.items():
        if name not in _NAMES:
            raise InvalidRequestError(name, f"expected one of {', '.join(_NAMES)}")
        if name in ("times", "items", "retry_after") and not (type(value) is int and 1 <= value <= _MOST):
            raise InvalidRequestError(name, f"expected a whole number from 1 to {_MOST}")
    if members.get("status") not in _STATUSES:
        raise InvalidRequestError("status", "expected 429 or 503")
    for name, status in _FOR.items():
        if name in members and members["status"] != status:
            raise InvalidRequestError(name, f"expected none: it is for status {status}")
    if members.get("outcome", Outcome.REFUSED) not in (Outcome.REFUSED, Outcome.UNKNOWN):
        raise InvalidRequestError("outcome", "expected refused or unknown")
    if type(members.get("written", False)) is not bool:
        raise InvalidRequestError("written", "expected true or false")
    if members.get("written") and members.get("outcome") != Outcome.UNKNOWN:
        raise InvalidRequestError("written", "expected only with the outcome unknown")
    return Fault(**members)
