"""The items of a bulk request, checked one by one: each invalid one gets an error that names its field."""

import json
from collections.abc import Set
from typing import Any

import orjson
from game_events import COMMON_FIELDS, EVENT_TYPES, SCHEMA_VERSION, InvalidEventError, Kind, encode, validate
from game_events.codec import without_repeats
from game_events.event_ids import TOO_LATE, is_service_made, may_be_retried, uuid7s
from game_events.names import NAMES
from game_events.names import prepare as prepare_names

from game_api.errors import InvalidRequestError
from game_api.identity.suppression import REFUSAL
from game_api.log.event_log import Record
from game_api.origin import STORED_HEADERS, Origin

MAX_ITEMS = 1000
_GIVEN_NAMES = tuple(f"{field}_name" for field in NAMES)
FROM_REQUEST = frozenset({"schema_version", "received_at", "idempotent", *_GIVEN_NAMES, *STORED_HEADERS})
"""The event fields that an item cannot set."""
_OBJECTS = frozenset(field.name for field in COMMON_FIELDS if field.kind is Kind.OBJECT)
_ADDED = FROM_REQUEST | {"event_id", "player"}

_DECIDED = frozenset(name for name, event_type in EVENT_TYPES.items() if not event_type.is_free)
DECIDED_IN_V1 = frozenset(name for name, event_type in EVENT_TYPES.items() if event_type.in_v1)
"""The unconditional types that version 1 of the API decides nevertheless."""

Result = dict[str, Any]


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


def prepare(
    items: list[Any], sender: Origin, now: int, decided: Set[str] = frozenset(), suppressed: Set[str] = frozenset()
) -> tuple[list[Result | None], list[Result], list[Record]]:
    """Turn each valid item into an event and a record.

    There is one result per item: an error, or None where the event's receipt will decide. Events of the types in
    `decided` are refused, as are all that the rules decide, and those of the players in `suppressed`.
    """
    # The fields that all events share are encoded once.
    common = b"," + encode({"schema_version": SCHEMA_VERSION, "received_at": now, **sender.headers})[1:]
    results: list[Result | None] = []
    events = []
    records = []
    for item, event_id in zip(items, uuid7s(now, len(items)), strict=True):
        try:
            event = complete(item, sender, event_id, now, decided)
            if event["player"] in suppressed:
                raise InvalidEventError("player", REFUSAL)
        except InvalidEventError as error:
            results.append({"status": 400, "error": str(error), "field": error.field})
            continue
        results.append(None)
        events.append(event)
        # orjson produces the same bytes, but for fractions, and faster.
        encoded = orjson.dumps(event) if _OBJECTS.isdisjoint(event) else encode(event)
        records.append(Record(event["player"].encode(), encoded[:-1] + common))
    return results, events, records


def complete(
    item: Any,  # noqa: ANN401 JSON
    sender: Origin,
    event_id: str,
    now: int,
    decided: Set[str] = frozenset(),
) -> dict[str, Any]:
    """Complete an item to an event; raise InvalidEventError if it is not valid."""
    if type(item) is not dict:
        raise InvalidEventError("event", "is not a JSON object")
    if not FROM_REQUEST.isdisjoint(item):
        raise InvalidEventError(min(FROM_REQUEST.intersection(item)), "expected none: it is taken from the request")
    validate(item, added_later=_ADDED)
    if item["event_type"] in _DECIDED or item["event_type"] in decided:
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
