"""`POST /events`: many events in one request."""

from collections.abc import Collection, Iterable, Sequence
from random import Random
from time import monotonic, time
from typing import Any

import orjson
from game_events.event_ids import RETRY_SECONDS
from game_world.world import World
from werkzeug.exceptions import UnsupportedMediaType

from game_api import typed
from game_api.attempts import client_receipts
from game_api.bodies import body
from game_api.callers import Callers
from game_api.cors import is_allowed
from game_api.errors import InvalidRequestError
from game_api.identity.bulk_items import admit
from game_api.identity.caller import EVENTS_WRITE, PLAYERS_ANY, Caller
from game_api.items import DECIDED_IN_V1, parse, prepare
from game_api.log.event_log import EventLog, Outcome, Receipt, Record
from game_api.metrics import count_events
from game_api.origin import KEY_HEADER, Origin
from game_api.rate_limits import RateLimits, player_of
from game_api.replies import (
    JSON,
    Response,
    json_problem_reply,
    json_reply,
    retry_later,
    unwritten,
    unwritten_kind,
)
from game_api.request import Request
from game_api.speculation import refuse_speculation
from game_api.trace_context import trace_headers
from game_api.v1.problems import problem as problem_details

PATH = "/events"

Result = dict[str, Any]


class Bulk:
    """Responds to bulk requests. `origins` are those of pages whose scripts may use the API."""

    def __init__(
        self,
        log: EventLog,
        world: World | None,
        callers: Callers,
        limits: RateLimits,
        random: Random,
        origins: Collection[str],
    ) -> None:
        self._log = log
        self._world = world
        self._callers = callers
        self._limits = limits
        self._random = random
        self._origins = origins

    async def __call__(self, request: Request) -> Response:
        refuse_speculation(request.headers)
        # sendBeacon() cannot send application/json across origins.
        is_beacon = request.media_type == "text/plain" and is_allowed(request, self._origins)
        if request.media_type != "application/json" and not is_beacon:
            raise UnsupportedMediaType(f"Content-Type: expected application/json, got {request.media_type or 'none'}")
        sender, caller = await self._callers.identified(request, EVENTS_WRITE)
        if sender.key:
            raise InvalidRequestError(KEY_HEADER, "expected for single events only; give each item its own event_id")
        return await self._answer(request, body(request), sender, caller)

    async def _answer(self, request: Request, data: bytes, sender: Origin, caller: Caller) -> Response:
        now = int(time() * 1000)
        # The items of other callers must be admitted one by one.
        decided: frozenset[str] = DECIDED_IN_V1 if request.is_v1 else frozenset()
        suppressed = self._callers.identity.suppression.names()
        if PLAYERS_ANY in caller.scopes and (items := typed.decode(data, decided)) is not None:
            await self._limits.events(request, typed.players(items), sender.player, caller)
            if made := typed.records(items, data.count(b":"), sender, now, suppressed):
                receipts = await self._append(request, made.records, [type(item).__name__ for item in items])
                if all(receipt.outcome is Outcome.ACKED for receipt in receipts):
                    return _acked(made.event_ids, receipts)
                events = [orjson.loads(record.value) for record in made.records]
                return await self._results(request, [None] * len(events), events, receipts)
        unusual = parse(data)
        admit(unusual, caller, self._random)
        if not request.has_paid:
            await self._limits.events(request, [player_of(item) for item in unusual], sender.player, caller)
        results, events, records = prepare(unusual, sender, now, decided, suppressed)
        if not events:
            return answer(request, results)
        receipts = await self._append(request, records, [event["event_type"] for event in events])
        return await self._results(request, results, events, receipts)

    async def _append(self, request: Request, records: list[Record], types: Sequence[str]) -> list[Receipt]:
        """Append the records of events of these types, and count their outcomes."""
        began = monotonic()
        receipts = await self._log.append(records, began - request.began, trace_headers(request.headers))
        outcomes = [receipt.outcome for receipt in receipts]
        count_events(zip(types, outcomes, strict=True), monotonic() - began)
        return receipts

    async def _results(
        self, request: Request, results: list[Result | None], events: list[Result], receipts: Sequence[Receipt]
    ) -> Response:
        # The store must know of them before the client can retry.
        lost = [event for event, receipt in zip(events, receipts, strict=True) if receipt.outcome is Outcome.UNKNOWN]
        if lost and self._world:
            await self._world.note_unconfirmed(lost)
        fill(results, events, await client_receipts(self._world, events, receipts))
        return answer(request, results)


def _acked(event_ids: Iterable[str], receipts: Sequence[Receipt]) -> Response:
    """Respond as `answer` does when all events were acknowledged: their ids need no escaping."""
    results = ",".join(
        [
            f'{{"status":200,"event_id":"{event_id}","partition":{partition},"offset":{offset}}}'
            for event_id, (_, partition, offset, _) in zip(event_ids, receipts, strict=True)
        ]
    )
    return Response(f'{{"results":[{results}]}}'.encode(), 200, JSON)


def fill(results: list[Result | None], events: Sequence[Result], receipts: Sequence[Receipt]) -> None:
    """Replace each None in the results by the result for the next receipt."""
    waiting = iter(zip(events, receipts, strict=True))
    for index, result in enumerate(results):
        if result is None:
            event, receipt = next(waiting)
            results[index] = _result(event, receipt)


def _result(event: Result, receipt: Receipt) -> Result:
    event_id = event["event_id"]
    if receipt.outcome is Outcome.ACKED:
        return {"status": 200, "event_id": event_id, "partition": receipt.partition, "offset": receipt.offset}
    return {
        "status": 503,
        "event_id": event_id,
        "error": unwritten(receipt, _retry(event)),
        "outcome": receipt.outcome.value,
    }


def _retry(event: Result) -> str:
    if event.get("idempotent"):
        return "retry it with the same event_id"
    return f"retry it with this event_id within {RETRY_SECONDS // 60} minutes"


def answer(request: Request, results: Sequence[Result | None]) -> Response:
    """Respond 200 if all events were acknowledged, 207 if some were; else 503 if Kafka failed for any, else 400."""
    statuses = {result["status"] for result in results if result}
    unknown = any(result and result.get("outcome") == Outcome.UNKNOWN for result in results)
    if request.is_v1:
        results = [_with_problem(result) for result in results if result]
    if statuses == {200}:
        return json_reply({"results": results})
    if 200 in statuses:
        return json_reply({"results": results}, 207)
    if 503 not in statuses:
        return json_problem_reply(
            request, "no-valid-event", "no event is valid", 400, {"field": "body", "results": results}
        )
    members = {"results": results}
    response = json_problem_reply(request, "no-event-acknowledged", "no event was acknowledged", 503, members)
    return retry_later(response, Outcome.UNKNOWN if unknown else Outcome.REFUSED)


def _with_problem(result: Result) -> Result:
    """Return an item's result as `/v1/events` reports it: an error is a problem details object."""
    if "error" not in result:
        return result
    members = {name: value for name, value in result.items() if name not in ("status", "error")}
    kind = unwritten_kind(result["outcome"]) if "outcome" in result else "invalid-event"
    return problem_details(kind, result["status"], result["error"], members)
