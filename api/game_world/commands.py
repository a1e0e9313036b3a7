"""Commands: what an event type asks of the world, as decide.lua takes it, and what the decision means for the event."""

from collections.abc import Mapping
from hashlib import blake2b
from random import Random
from typing import Any

import orjson
from game_events import EventType
from game_events.effects import facts, filled, gear_effects, result_of
from game_events.event_ids import is_service_made
from game_events.event_type import OWN_GUILD
from game_events.rules import PRICES, Change, Given, Kind, Precondition, Price, Result, Share, Taken

Json = dict[str, Any]


def preconditions_of(event_type: EventType, event: Mapping[str, Any], is_v1: bool) -> tuple[Precondition, ...]:
    """Return what a request for this event requires, by version 1 of the API or by the older paths."""
    if is_v1 and "guild" in event:
        return event_type.preconditions + event_type.in_v1
    return event_type.preconditions


def command(event_type: EventType, event: Mapping[str, Any], random: Random, is_v1: bool = False) -> Json:
    """Make the command for an event that is not decided yet; random amounts are drawn now."""
    made: Json = {
        "name": pending_name(event),
        "player": event["player"],
        "facts": [*facts({**event, **_unknown_guild(event_type)})] if event_type.sets else [],
    }
    if given := names(event):
        made["names"] = given
    if event.get("idempotent"):
        made["once"] = once_key(event)
        made["at"] = event["received_at"]
        made["seen"] = seen_place(event)
        made["fingerprint"] = _fingerprint(event_type, event)
    preconditions = [_precondition(each, event) for each in preconditions_of(event_type, event, is_v1)]
    if event_type.is_free:
        if preconditions:
            made |= {"preconditions": preconditions, "guild": event["guild"]}
        made["effects"] = [*gear_effects(event_type, event_type.result, event)]
        if "once" in made or made["facts"]:
            made["drawn"] = _drawn(event_type, event)
        return made
    made["preconditions"] = preconditions
    if event_type.stamina:
        made["stamina"] = event_type.stamina
    for name in ("target", "guild"):
        if name in event:
            made[name] = event[name]
    if OWN_GUILD in event_type.fields:
        made["own_guild"] = True
    if contest := event_type.contest:
        made["contest"] = {
            "mine": contest.mine.draw(random),
            "theirs": contest.theirs.draw(random),
            "against_player": contest.against_player,
            "is_battle": contest.is_battle,
            "arms": contest.arms,
            "guards": contest.guards,
        }
    made["results"] = [_result(event_type, result, event, random) for result in event_type.results]
    return made


def _precondition(precondition: Precondition, event: Mapping[str, Any]) -> Json:
    if precondition.kind is not Kind.AT_LEAST:
        is_met = precondition.is_met_by(event)
        return {"kind": precondition.kind} | ({} if is_met is None else {"met": is_met})
    return {
        "kind": precondition.kind,
        "who": precondition.who,
        "attribute": filled(precondition.attribute, event),
        "least": precondition.least_of(event),
    }


def _fingerprint(event_type: EventType, event: Mapping[str, Any]) -> str:
    """Tell apart requests under one key with different parameters."""
    given = [[field.name, event[field.name]] for field in event_type.parameters if field.name in event]
    return blake2b(orjson.dumps(given), digest_size=16).hexdigest()


def _unknown_guild(event_type: EventType) -> Json:
    return {"guild": ""} if OWN_GUILD in event_type.fields else {}


def _result(event_type: EventType, result: Result, event: Mapping[str, Any], random: Random) -> Json:
    drawn = _drawn(event_type, event)
    if result.loot:
        drawn["loot"] = result.loot.draw(random)
    return {
        "changes": [_change(change, event, random) for change in result.changes],
        "effects": [*gear_effects(event_type, result, {**event, **drawn})],
        "drawn": drawn,
    }


def _drawn(event_type: EventType, event: Mapping[str, Any]) -> Json:
    """Return the fields in which another request under the same key could differ. For facts the store sets the time."""
    return {name: event[name] for name in ("received_at", *event_type.draws)}


def _change(change: Change, event: Mapping[str, Any], random: Random) -> Json:
    kind, amount = "fixed", change.amount
    if isinstance(amount, Share):
        kind, amount = "share", amount.percent
    elif isinstance(amount, Taken):
        kind, amount = "taken", 0
    elif isinstance(amount, Price):
        amount = PRICES.get(event["item"], 0)
    elif isinstance(amount, Given):
        amount = amount.sign * event[amount.parameter]
    elif not isinstance(amount, int):
        amount = amount.draw(random)
    return {"who": change.who, "attribute": change.attribute, "kind": kind, "amount": amount}


def decided(event_type: EventType, decision: Json) -> Json:
    """Return the fields that the decision gives to the event."""
    fields: Json = dict(decision.get("drawn", ()))
    if event_type.contest:
        fields["won"] = decision["won"]
    for name in ("guild", "guild_name"):
        if name in decision:
            fields[name] = decision[name]
    changes = result_of(event_type, fields).changes
    return fields | {change.field: amount for change, amount in zip(changes, decision.get("amounts", ()), strict=True)}


def once_key(event: Mapping[str, Any]) -> str:
    """Return what an event is counted once by, as in the views: a short key, which names no player."""
    named = "\x1f".join((event["player"], event["event_type"], event["event_id"]))
    return f"once:{blake2b(named.encode(), digest_size=16).hexdigest()}"


def seen_place(event: Mapping[str, Any]) -> Json | None:
    """Return where an event with a service-made id is noted as seen: a set, and an integer in it, which takes 8 bytes.

    None for other ids: an event with one cannot be a retry of an event without a key.
    """
    event_id = event["event_id"]
    if not is_service_made(event_id):
        return None
    digest = once_key(event)[-16:]
    # So many sets for each four seconds keep each below the 512 integers that a store keeps packed.
    return {"set": f"{event_id[:10]}{digest[:2]}", "member": str(int(digest, 16) - (1 << 63))}


def names(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of player and guild as given, by their keys in the store, if they differ."""
    given = {"hero": ("player", "player_name"), "guild": ("guild", "guild_name")}
    return {f"{kind}:{event[kept]}": event[name] for kind, (kept, name) in given.items() if event.get(name)}


def cached_response(event_type: EventType, event: Mapping[str, Any], decision: Json) -> Json:
    """Return what the store caches for retries of an event without a key, in the form that decide.lua caches."""
    return {"drawn": _drawn(event_type, event), **decision, "fingerprint": _fingerprint(event_type, event)}


def pending_name(event: Mapping[str, Any]) -> str:
    """Name an event among the pending ones. Several events may share an id that a client chose."""
    return "\x1f".join((event["player"], event["event_type"], event["event_id"], str(event["received_at"])))
