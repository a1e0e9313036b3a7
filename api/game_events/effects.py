"""What an event changes in the world.

The world is a sum: effects add up, and of facts about a player the latest holds. So the order in which events are taken
does not matter, and whoever takes the same events has the same world.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from game_events.catalog import EVENT_TYPES
from game_events.event_type import EventType
from game_events.rules import Result, Who


class Effect(NamedTuple):
    """`attribute` of a player or of a guild (`owner`, named `name`) grows by `amount`. Items are `item:NAME`."""

    owner: str
    name: str
    attribute: str
    amount: int


class Fact(NamedTuple):
    """What holds of a player from `stamp` on: `guild`, or `tie` to the target.

    A later stamp is greater; it names the event: milliseconds, id and type.
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
        # Who writes to the topic may leave out whose it is.
        if (amount := event.get(change.field)) and (name := names[change.who]):
            yield Effect("guild" if change.who is Who.GUILD else "hero", name, change.attribute, amount)
    yield from gear_effects(result, event)


def gear_effects(result: Result, event: Mapping[str, Any]) -> Iterator[Effect]:
    """Yield what becomes of items, and of the power that they give: it depends on nothing that the world knows."""
    if strength := event.get("strength"):
        yield Effect("hero", event["player"], "power", strength)
    for item, number in result.items.items():
        yield Effect("hero", event["player"], f"item:{filled(item, event)}", number)
    if loot := event.get("loot"):
        yield Effect("hero", event["player"], f"item:{loot}", 1)
    if result.gift:
        yield Effect("hero", event["target"], f"item:{filled(result.gift, event)}", 1)


def facts(event: Mapping[str, Any]) -> Iterator[Fact]:
    """Yield the facts that a valid event tells."""
    stamp = f"{event['received_at']:013d}/{event['event_id']}/{event['event_type']}"
    for name, value in EVENT_TYPES[event["event_type"]].sets.items():
        target = event.get("target", "") if name == "tie" else ""
        if (name == "tie" and not target) or (value == "{guild}" and "guild" not in event):
            continue
        yield Fact(event["player"], name, target, filled(value, event), stamp)


def result_of(event_type: EventType, event: Mapping[str, Any]) -> Result:
    """Return the result that came of it."""
    return event_type.results[-1 if event.get("won") is False else 0]


def filled(template: str, event: Mapping[str, Any]) -> str:
    """Fill in an event's fields, amounts without their sign."""
    if "{" not in template:
        return template
    return template.format_map({name: abs(value) if type(value) is int else value for name, value in event.items()})
