"""Trades: items are sold at the trader's prices or given away."""

from game_events.event_type import ITEM, OTHER_PLAYER, EventType
from game_events.rules import ALIVE, TARGET_KNOWN, Kind, Precondition, Price, Result, gain, has, takes

_HAS_ITEM = has("item:{item}", 1, "You have no {item}")

EVENT_TYPES = (
    EventType(
        "sell_item",
        "trades",
        "/sell_an_item",
        Result("The trader pays {gold} gold for your {item}.", (gain("gold", Price()),), {"{item}": -1}),
        (ITEM,),
        preconditions=(ALIVE, _HAS_ITEM, Precondition(Kind.BOUGHT, "The trader does not buy {item}")),
    ),
    EventType(
        "give_item",
        "trades",
        "/give_an_item",
        Result("{target} thanks you for the {item}.", (gain("experience", 1),), {"{item}": -1}, gift="{item}"),
        (OTHER_PLAYER, ITEM),
        preconditions=(ALIVE, TARGET_KNOWN, _HAS_ITEM, takes(1)),
    ),
)
