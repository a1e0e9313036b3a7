"""The actions in words, for the game's page: what each needs, what it changes, what is left to chance."""

from collections.abc import Callable, Iterator
from typing import Any

from game_events import EVENT_TYPES, EventType, Field
from game_events import Kind as FieldKind
from game_events.chance import Normal, Uniform
from game_events.rules import ALIVE, TARGET_ALIVE, Change, Given, Kind, Need, Result, Share, Who

Json = dict[str, Any]

_WHOSE = {Who.PLAYER: "", Who.TARGET: "the target's ", Who.GUILD: "the guild's "}
_NEEDS = {
    Kind.KNOWN: "a target known to somebody",
    Kind.IN_GUILD: "to be in a guild",
    Kind.NO_GUILD: "to be in no guild",
    Kind.SAME_GUILD: "a target of your guild",
    Kind.NEW_GUILD: "a name that no guild has",
    Kind.ALLIED: "an ally as the target",
}


def action_families() -> list[Json]:
    """Every family, in order, with its actions."""
    families: dict[str, list[Json]] = {}
    for event_type in EVENT_TYPES.values():
        families.setdefault(event_type.family, []).append(_action(event_type))
    return [{"family": family, "actions": actions} for family, actions in families.items()]


def _action(event_type: EventType) -> Json:
    return {
        "name": event_type.name,
        "path": event_type.request,
        "title": (event_type.request.strip("/") or event_type.family.removesuffix("s")).replace("_", " ").capitalize(),
        "needs": [_need(need) for need in event_type.needs],
        "brings": list(_of_results(event_type, _certain)),
        "chance": list(_chances(event_type)),
        "parameters": [_parameter(field) for field in event_type.parameters],
    }


def _parameter(field: Field) -> Json:
    return {
        "name": field.name,
        "type": "integer" if field.kind is FieldKind.INTEGER else "string",
        "title": field.doc,
        "required": field.required,
        "minimum": field.minimum,
        "maximum": field.maximum,
    }


def _need(need: Need) -> str:
    if need == ALIVE:
        return "to be alive"
    if need == TARGET_ALIVE:
        return "a target that is alive"
    if need.kind is not Kind.AT_LEAST:
        return _NEEDS[need.kind]
    if need.attribute == "item:{item}":
        return "the item"
    least = f"the {need.least} in" if isinstance(need.least, str) else need.least
    what = f"{least} {need.attribute.removeprefix('item:')}"
    return f"a target with {what}" if need.who is Who.TARGET else what


def _chances(event_type: EventType) -> Iterator[str]:
    for name, distribution in event_type.draws.items():
        yield f"{name}: {distribution}"
    if contest := event_type.contest:
        levels = ", levels added" if contest.against_player else ""
        yield f"your throw: {contest.mine}{levels}"
        yield f"against: {contest.theirs}{levels}"
    yield from _of_results(event_type, _drawn)


def _of_results(event_type: EventType, words: Callable[[Result], Iterator[str]]) -> Iterator[str]:
    for label, result in zip(("won: ", "lost: "), event_type.results, strict=False):
        if said := ", ".join(words(result)):
            yield f"{label}{said}" if event_type.contest else said


def _certain(result: Result) -> Iterator[str]:
    for change in result.changes:
        if not isinstance(change.amount, Normal | Uniform):
            yield _change(change)
    for item, number in result.items.items():
        yield f"{item.format(item='the item')} {number:+d}"
    if result.gift:
        yield f"the target's {result.gift.format(item='item')} +1"


def _drawn(result: Result) -> Iterator[str]:
    for change in result.changes:
        if isinstance(change.amount, Normal | Uniform):
            yield _change(change)
    if result.loot:
        yield f"finds {result.loot}"


def _change(change: Change) -> str:
    what = f"{_WHOSE[change.who]}{change.attribute}"
    match change.amount:
        case int(amount):
            return f"{what} {amount:+d}"
        case Share() as share:
            return f"{what} {share}"
        case Given(parameter, sign):
            return f"{what} {'-' if sign < 0 else '+'} {parameter}"
        case other:
            return f"{what}: {other}"
