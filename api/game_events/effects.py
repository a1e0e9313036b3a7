"""What an event changes in the world.

The world is a sum: effects add up, and of a fact about a player the latest value holds. So the order of events does not
matter: the same events make the same world.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from game_events.catalog import EVENT_TYPES
from game_events.event_type import EventType
from game_events.rules import Result, Who


@dataclass(frozen=True, slots=True)
class Effect:
    """`attribute` of a `hero` or a `guild` (the `owner`, called `name`) grows by `amount`. Items are `item:NAME`."""

    owner: str
    name: str
    attribute: str
    amount: int


@dataclass(frozen=True, slots=True)
class Fact:
    """The value that a player's `guild`, or `tie` to a target, has from `stamp` on; empty if none.

    The stamp identifies the event by time, id and type. A later one is greater.
    """

    player: str
    name: str
    target: str
    value: str
    stamp: str


def effects(event: Mapping[str, Any]) -> Iterator[Effect]:
    """Yield the effects of a valid event."""
    event_type = EVENT_TYPES[event["event_type"]]
    result = result_of(event_type, event)
    names = {Who.PLAYER: event["player"], Who.TARGET: event.get("target"), Who.GUILD: event.get("guild")}
    for change in result.changes:
        # Other writers to the topic may leave out whose attribute it is.
        if (amount := event.get(change.field)) and (name := names[change.who]):
            yield Effect("guild" if change.who is Who.GUILD else "hero", name, change.attribute, amount)
    yield from gear_effects(event_type, result, event)


def gear_effects(event_type: EventType, result: Result, event: Mapping[str, Any]) -> Iterator[Effect]:
    """Yield the effects on items, and on the power that they give: they do not depend on the state of the world."""
    if event_type.gives_power and (strength := event.get("strength")):
        yield Effect("hero", event["player"], "power", strength)
    for item, number in result.items.items():
        yield Effect("hero", event["player"], f"item:{filled(item, event)}", number)
    if loot := event.get("loot"):
        yield Effect("hero", event["player"], f"item:{loot}", 1)
    if result.gift:
        yield Effect("hero", event["target"], f"item:{filled(result.gift, event)}", 1)


def facts(event: Mapping[str, Any]) -> Iterator[Fact]:
    """Yield the facts that a valid event states."""
    stamp = f"{event['received_at']:013d}/{event['event_id']}/{event['event_type']}"
    player, target = event["player"], event.get("target", "")
    for name, value in EVENT_TYPES[event["event_type"]].sets.items():
        if name == "guild":
            if value != "{guild}" or "guild" in event:
                yield Fact(player, "guild", "", filled(value, event), stamp)
        # Other writers may leave the target out.
        elif target:
            holder, other = (player, target) if name == "tie" else (target, player)
            yield Fact(holder, "tie", other, value, stamp)


def result_of(event_type: EventType, event: Mapping[str, Any]) -> Result:
    """Return the result that the event had."""
    return event_type.results[-1 if event.get("won") is False else 0]


def filled(template: str, event: Mapping[str, Any]) -> str:
    """Fill in an event's fields, numbers without their sign."""
    if "{" not in template:
        return template
    return template.format_map({name: abs(value) if type(value) is int else value for name, value in event.items()})
