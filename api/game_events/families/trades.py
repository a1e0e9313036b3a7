"""Trades: items are sold or given away."""

from game_events.chance import Normal
from game_events.event_type import ITEM, OTHER_PLAYER, EventType
from game_events.rules import ALIVE, TARGET_KNOWN, Result, gain, has

_HAS_ITEM = has("item:{item}", 1, "You have no {item}")

EVENT_TYPES = (
    EventType(
        "sell_item",
        "trades",
        "/sell_an_item",
        Result("The trader pays {gold} gold for your {item}.", (gain("gold", Normal(8, 4, 1, 20)),), {"{item}": -1}),
        (ITEM,),
        preconditions=(ALIVE, _HAS_ITEM),
    ),
    EventType(
        "give_item",
        "trades",
        "/give_an_item",
        Result("{target} thanks you for the {item}.", (gain("experience", 3),), {"{item}": -1}, gift="{item}"),
        (OTHER_PLAYER, ITEM),
        preconditions=(ALIVE, TARGET_KNOWN, _HAS_ITEM),
    ),
)
