"""Crafts: ore becomes armor, herbs become potions."""

from game_events.chance import Uniform
from game_events.event_type import EventType
from game_events.rules import ALIVE, Result, gain, has, takes

EVENT_TYPES = (
    EventType(
        "mine_ore",
        "crafts",
        "/mine_ore",
        Result("You bring up a lump of ore.", (gain("health", Uniform(-5, 0)), gain("experience", 3)), {"ore": 1}),
        preconditions=(ALIVE, takes(2)),
    ),
    EventType(
        "forge_armor",
        "crafts",
        "/forge_armor",
        Result("Three lumps of ore become a suit of armor.", (gain("experience", 15),), {"ore": -3, "armor": 1}),
        preconditions=(ALIVE, has("item:ore", 3, "Armor takes 3 lumps of ore, and you have {have}"), takes(4)),
    ),
    EventType(
        "brew_potion",
        "crafts",
        "/brew_a_potion",
        Result("Two herbs become a potion.", (gain("experience", 5),), {"herb": -2, "potion": 1}),
        preconditions=(ALIVE, has("item:herb", 2, "A potion takes 2 herbs, and you have {have}"), takes(2)),
    ),
)
