"""The rules of an event type in words: preconditions, certain effects, random effects."""

from collections.abc import Callable, Iterator, Mapping

from game_events.chance import Normal, Uniform
from game_events.event_type import EventType
from game_events.rules import ALIVE, TARGET_ALIVE, Change, Given, Kind, Precondition, Result, Share, Who

_WHOSE = {Who.PLAYER: "", Who.TARGET: "the target's ", Who.GUILD: "the guild's "}
_IN_WORDS = {
    Kind.KNOWN: "a target that is known",
    Kind.IN_GUILD: "to be in a guild",
    Kind.NO_GUILD: "to be in no guild",
    Kind.SAME_GUILD: "a target in your guild",
    Kind.NEW_GUILD: "a guild name that is not taken",
    Kind.FOUNDED: "a guild that was founded",
    Kind.OFFERED: "an offer of the target",
    Kind.ALLIED: "an ally as the target, who agreed to it",
    Kind.BOUGHT: "an item that the trader buys",
}


def preconditions(event_type: EventType) -> list[str]:
    words = [_precondition_in_words(precondition) for precondition in event_type.preconditions]
    return words + [f"{precondition} (in version 1)" for precondition in preconditions_in_v1(event_type)]


def preconditions_in_v1(event_type: EventType) -> list[str]:
    """Return what version 1 of the API requires of an action that is unconditional by the older paths."""
    return [_precondition_in_words(precondition) for precondition in event_type.in_v1]


def certain(event_type: EventType) -> list[str]:
    """Return the effects that are not random; those of a contest, for each way it can end."""
    return list(_of_results(event_type, _certain))


def chances(event_type: EventType) -> list[str]:
    words = [f"{name}: {distribution}" for name, distribution in event_type.draws.items()]
    if contest := event_type.contest:
        mine, theirs = (", plus your level", ", plus the target's level") if contest.against_player else ("", "")
        if contest.is_battle:
            mine += f", plus your might and gear ({_gear(contest.arms)})"
            theirs += f", plus the target's might and gear ({_gear(contest.guards)})" if contest.against_player else ""
        words += [f"your throw: {contest.mine}{mine}", f"against: {contest.theirs}{theirs}"]
    return [*words, *_of_results(event_type, _random)]


def _gear(gear: Mapping[str, int]) -> str:
    return ", ".join(f"{item} {bonus}" for item, bonus in gear.items())


def _precondition_in_words(precondition: Precondition) -> str:
    if precondition == ALIVE:
        return "to be alive"
    if precondition == TARGET_ALIVE:
        return "a target that is alive"
    if precondition.kind is Kind.AT_MOST:
        return f"{precondition.attribute} of at most {precondition.least}"
    if precondition.kind is not Kind.AT_LEAST:
        return _IN_WORDS[precondition.kind]
    if precondition.attribute == "item:{item}":
        return "the item"
    least = f"the {precondition.least} in" if isinstance(precondition.least, str) else precondition.least
    what = f"{least} {precondition.attribute.removeprefix('item:')}"
    return {Who.TARGET: f"a target with {what}", Who.GUILD: f"a guild with {what}"}.get(precondition.who, what)


def _of_results(event_type: EventType, describe: Callable[[Result], Iterator[str]]) -> Iterator[str]:
    for label, result in zip(("won: ", "lost: "), event_type.results, strict=False):
        if effects := ", ".join(describe(result)):
            yield f"{label}{effects}" if event_type.contest else effects


def _certain(result: Result) -> Iterator[str]:
    for change in result.changes:
        if not isinstance(change.amount, Normal | Uniform):
            yield _change(change)
    for item, number in result.items.items():
        yield f"{item.format(item='the item')} {number:+d}"
    if result.gift:
        yield f"the target's {result.gift.format(item='item')} +1"


def _random(result: Result) -> Iterator[str]:
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
