"""Rests: players regain health, and return from the dead."""

from game_events.event_type import EventType
from game_events.rules import ALIVE, Result, costs, gain, has, takes

EVENT_TYPES = (
    EventType(
        "rest_at_inn",
        "rests",
        "/rest_at_the_inn",
        Result("You sleep well.", (gain("gold", -5), gain("health", 40))),
        preconditions=(ALIVE, costs(5, "a bed")),
    ),
    EventType(
        "drink_potion",
        "rests",
        "/drink_a_potion",
        Result("The potion warms you.", (gain("health", 50),), {"potion": -1}),
        preconditions=(ALIVE, has("item:potion", 1, "You have no potion")),
    ),
    EventType(
        "pray", "rests", "/pray", Result("A light falls on you.", (gain("health", 20),)), preconditions=(takes(5),)
    ),
)
