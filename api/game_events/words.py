"""The rules of an event type in words: what it needs, what it changes for sure, what is left to chance."""

from collections.abc import Callable, Iterator

from game_events.chance import Normal, Uniform
from game_events.event_type import EventType
from game_events.rules import ALIVE, TARGET_ALIVE, Change, Given, Kind, Need, Result, Share, Who

_WHOSE = {Who.PLAYER: "", Who.TARGET: "the target's ", Who.GUILD: "the guild's "}
_NEEDS = {
    Kind.KNOWN: "a target known to somebody",
    Kind.IN_GUILD: "to be in a guild",
    Kind.NO_GUILD: "to be in no guild",
    Kind.SAME_GUILD: "a target of your guild",
    Kind.NEW_GUILD: "a name that no guild has",
    Kind.ALLIED: "an ally as the target",
}


def needs(event_type: EventType) -> list[str]:
    return [_need(need) for need in event_type.needs]


def certain(event_type: EventType) -> list[str]:
    """What it changes, whatever chance brings; of a contest, by its end."""
    return list(_of_results(event_type, _certain))


def chances(event_type: EventType) -> list[str]:
    said = [f"{name}: {distribution}" for name, distribution in event_type.draws.items()]
    if contest := event_type.contest:
        levels = ", levels added" if contest.against_player else ""
        said += [f"your throw: {contest.mine}{levels}", f"against: {contest.theirs}{levels}"]
    return [*said, *_of_results(event_type, _drawn)]


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
