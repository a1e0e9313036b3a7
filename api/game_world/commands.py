"""Deeds: what an event type asks of the world, in the words of the store's scripts, and what their answer means."""

from collections.abc import Mapping
from hashlib import blake2b
from random import Random
from typing import Any

import orjson
from game_events import EventType
from game_events.effects import facts, filled, gear_effects, result_of
from game_events.event_ids import is_service_made
from game_events.event_type import OWN_GUILD
from game_events.rules import Change, Given, Result, Share, Taken

Json = dict[str, Any]


def deed(event_type: EventType, event: Mapping[str, Any], random: Random) -> Json:
    """Make the deed of an event that is still to be decided; throws are drawn now."""
    made: Json = {
        "name": pending_name(event),
        "player": event["player"],
        "facts": [*map(list, facts({**event, **_unknown_guild(event_type)}))] if event_type.sets else [],
    }
    if given := names(event):
        made["names"] = given
    if event.get("idempotent"):
        made["once"] = once_key(event)
        made["at"] = event["received_at"]
        made["seen"] = seen_place(event)
        made["asked"] = _asked(event_type, event)
    if event_type.is_free:
        made["effects"] = [*map(list, gear_effects(event_type.result, event))]
        if "once" in made:
            made["drawn"] = _drawn(event_type, event)
        return made
    made["needs"] = [
        [need.kind, need.who, filled(need.attribute, event), need.least_of(event)] for need in event_type.needs
    ]
    for name in ("target", "guild"):
        if name in event:
            made[name] = event[name]
    if OWN_GUILD in event_type.fields:
        made["own_guild"] = True
    if event_type.contest:
        contest = event_type.contest
        made["contest"] = [contest.mine.draw(random), contest.theirs.draw(random), contest.against_player]
    made["results"] = [_result(event_type, result, event, random) for result in event_type.results]
    return made


def _asked(event_type: EventType, event: Mapping[str, Any]) -> str:
    """Tell requests under one key apart, whose parameters differ."""
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
        "effects": [*map(list, gear_effects(result, {**event, **drawn}))],
        "drawn": drawn,
    }


def _drawn(event_type: EventType, event: Mapping[str, Any]) -> Json:
    """Return what another request under the same key could have otherwise."""
    return {name: event[name] for name in ("received_at", *event_type.draws)}


def _change(change: Change, event: Mapping[str, Any], random: Random) -> list[Any]:
    amount = change.amount
    if isinstance(amount, Share):
        return [change.who, change.attribute, "share", amount.percent]
    if isinstance(amount, Taken):
        return [change.who, change.attribute, "taken", 0]
    if isinstance(amount, Given):
        return [change.who, change.attribute, "fixed", amount.sign * event[amount.parameter]]
    return [change.who, change.attribute, "fixed", amount if isinstance(amount, int) else amount.draw(random)]


def decided(event_type: EventType, answer: Json) -> Json:
    """Return the fields that the world's answer gives to the event."""
    fields: Json = dict(answer.get("drawn", ()))
    if event_type.contest:
        fields["won"] = answer["won"]
    for name in ("guild", "guild_name"):
        if name in answer:
            fields[name] = answer[name]
    changes = result_of(event_type, fields).changes
    return fields | {change.field: amount for change, amount in zip(changes, answer.get("amounts", ()), strict=True)}


def once_key(event: Mapping[str, Any]) -> str:
    """Name what an event is counted once by, as the views do. Short, for there are many, and it names nobody."""
    named = "\x1f".join((event["player"], event["event_type"], event["event_id"]))
    return f"once:{blake2b(named.encode(), digest_size=16).hexdigest()}"


def seen_place(event: Mapping[str, Any]) -> list[str] | None:
    """Name where an event with a service-made id is noted as seen: a set, and an integer in it, which takes 8 bytes.

    None for other ids, under which nothing can be a retry of an unmarked event.
    """
    event_id = event["event_id"]
    if not is_service_made(event_id):
        return None
    digest = once_key(event)[-16:]
    # Of four seconds there are so many sets that each stays below the 512 integers that a store keeps packed.
    return [f"{event_id[:10]}{digest[:2]}", str(int(digest, 16) - (1 << 63))]


def names(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of player and guild as given, by their keys in the store, where they differ."""
    given = {"hero": ("player", "player_name"), "guild": ("guild", "guild_name")}
    return {f"{kind}:{event[kept]}": event[name] for kind, (kept, name) in given.items() if event.get(name)}


def told_again(event_type: EventType, event: Mapping[str, Any], answer: Json) -> Json:
    """Return what a retry of an unmarked event is to be told, as the store keeps it for marked ones."""
    return {"drawn": _drawn(event_type, event), **answer, "asked": _asked(event_type, event)}


def pending_name(event: Mapping[str, Any]) -> str:
    """Name an event among the pending ones: a client's own id may be that of several."""
    return "\x1f".join((event["player"], event["event_type"], event["event_id"], str(event["received_at"])))
