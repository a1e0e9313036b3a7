"""`POST /events`: many events in one request."""

import json
from collections.abc import Sequence
from random import Random
from time import monotonic, time
from typing import Any

import orjson
from flask import Flask, Response, request
from game_events import EVENT_TYPES, SCHEMA_VERSION, InvalidEventError, encode, validate
from game_events.codec import without_repeats
from game_events.event_ids import RETRY_SECONDS, TOO_LATE, is_service_made, may_be_retried, uuid7s
from game_events.names import NAMES
from game_events.names import prepare as prepare_names
from game_world.world import World
from werkzeug.exceptions import UnsupportedMediaType

from game_api.attempts import client_receipts
from game_api.bodies import body
from game_api.callers import identified
from game_api.cors import is_allowed
from game_api.errors import InvalidRequestError
from game_api.identity.bulk_items import admit
from game_api.identity.caller import EVENTS_WRITE
from game_api.log.event_log import EventLog, Outcome, Receipt, Record
from game_api.metrics import count_events
from game_api.origin import KEY_HEADER, STORED_HEADERS, Origin
from game_api.rate_limits import limit_events
from game_api.replies import json_reply, retry_later, unwritten
from game_api.speculation import refuse_speculation

PATH = "/events"
MAX_ITEMS = 1000
_GIVEN_NAMES = tuple(f"{field}_name" for field in NAMES)
FROM_REQUEST = frozenset({"schema_version", "received_at", "idempotent", *_GIVEN_NAMES, *STORED_HEADERS})
"""The event fields that an item cannot set."""
_ADDED = FROM_REQUEST | {"event_id", "player"}

_DECIDED = frozenset(name for name, event_type in EVENT_TYPES.items() if not event_type.is_free)

Result = dict[str, Any]


def add_bulk(app: Flask, log: EventLog, world: World | None, random: Random) -> None:
    def append_events() -> Response:
        refuse_speculation(request.environ)
        # sendBeacon() cannot send application/json across origins.
        is_beacon = request.mimetype == "text/plain" and is_allowed(app.extensions["cors_origins"])
        if request.mimetype != "application/json" and not is_beacon:
            raise UnsupportedMediaType(f"Content-Type: expected application/json, got {request.mimetype or 'none'}")
        sender, caller = identified(request.environ, EVENTS_WRITE)
        if sender.key:
            raise InvalidRequestError(KEY_HEADER, "expected for single events only; give each item its own event_id")
        items = parse(body())
        admit(items, caller, random)
        received = monotonic()
        if world:
            limit_events(world, app.extensions["identity"].settings, items, sender.player, caller)
        results, events, records = prepare(items, sender, int(time() * 1000))
        if events:
            began = monotonic()
            receipts = log.append(records, began - received)
            # The store must know of them before the client can retry.
            if world and (lost := [e for e, r in zip(events, receipts, strict=True) if r.outcome is Outcome.UNKNOWN]):
                world.note_unconfirmed(lost)
            fill(results, events, client_receipts(world, events, receipts))
            types = [event["event_type"] for event in events]
            outcomes = [receipt.outcome for receipt in receipts]
            count_events(zip(types, outcomes, strict=True), monotonic() - began)
        return answer(results)

    app.add_url_rule(PATH, "events", append_events, methods=["POST"])


def parse(data: bytes) -> list[Any]:
    """Decode a JSON list; raise InvalidRequestError if the body is anything else."""
    try:
        items = _parse_fast(data) or json.loads(data.decode(), object_pairs_hook=without_repeats)
    except UnicodeDecodeError:
        raise InvalidRequestError("body", "is not UTF-8") from None
    except ValueError as error:
        raise InvalidRequestError("body", f"is not JSON: {error}") from None
    except RecursionError:
        raise InvalidRequestError("body", "is nested too deeply") from None
    if not isinstance(items, list):
        raise InvalidRequestError("body", "expected a list of events")
    if not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidRequestError("body", f"expected 1 to {MAX_ITEMS} events, got {len(items)}")
    return items


def _parse_fast(data: bytes) -> list[Any] | None:
    """Decode a list of flat objects at a third of the cost; return None if it may be nested or repeat a key."""
    try:
        items = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    # orjson drops repeated keys. If there are as many colons as keys, no key is repeated and no object is nested.
    if type(items) is list and data.count(b":") == sum(len(item) for item in items if type(item) is dict):
        return items
    return None


def prepare(items: list[Any], sender: Origin, now: int) -> tuple[list[Result | None], list[Result], list[Record]]:
    """Turn each valid item into an event and a record.

    There is one result per item: an error, or None where the event's receipt will decide.
    """
    # The fields that all events share are encoded once. orjson produces the same bytes as `encode`, but faster.
    common = b"," + encode({"schema_version": SCHEMA_VERSION, "received_at": now, **sender.headers})[1:]
    results: list[Result | None] = []
    events = []
    records = []
    for item, event_id in zip(items, uuid7s(now, len(items)), strict=True):
        try:
            event = complete(item, sender, event_id, now)
        except InvalidEventError as error:
            results.append({"status": 400, "error": str(error), "field": error.field})
            continue
        results.append(None)
        events.append(event)
        records.append(Record(event["player"].encode(), orjson.dumps(event)[:-1] + common))
    return results, events, records


def complete(item: Any, sender: Origin, event_id: str, now: int) -> dict[str, Any]:  # noqa: ANN401 JSON
    """Complete an item to an event; raise InvalidEventError if it is not valid."""
    if type(item) is not dict:
        raise InvalidEventError("event", "is not a JSON object")
    if not FROM_REQUEST.isdisjoint(item):
        raise InvalidEventError(min(FROM_REQUEST.intersection(item)), "expected none: it is taken from the request")
    validate(item, added_later=_ADDED)
    if item["event_type"] in _DECIDED:
        raise InvalidEventError("event_type", "expected an unconditional action; send this one as a single request")
    if "event_id" in item:
        if is_service_made(item["event_id"]) and not may_be_retried(item["event_id"], now):
            raise InvalidEventError("event_id", TOO_LATE)
        item["idempotent"] = True
    else:
        item["event_id"] = event_id
    if "player" not in item and sender.player_name:
        item["player_name"] = sender.player_name
    item.setdefault("player", sender.player)
    prepare_names(item)
    return item


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


def answer(results: Sequence[Result | None]) -> Response:
    """Respond 200 if all events were acknowledged, 207 if some were; else 503 if Kafka failed for any, else 400."""
    statuses = {result["status"] for result in results if result}
    if statuses == {200}:
        return json_reply({"results": results})
    if 200 in statuses:
        return json_reply({"results": results}, 207)
    if 503 not in statuses:
        return json_reply({"error": "no event is valid", "field": "body", "results": results}, 400)
    unknown = any(result and result.get("outcome") == Outcome.UNKNOWN for result in results)
    response = json_reply({"error": "no event was acknowledged", "results": results}, 503)
    return retry_later(response, Outcome.UNKNOWN if unknown else Outcome.REFUSED)
