"""Quests: exploration, chests and riddles."""

from game_events.chance import Normal, Pick, Uniform
from game_events.event_type import EventType
from game_events.rules import ALIVE, Contest, Result, gain, takes

EVENT_TYPES = (
    EventType(
        "explore",
        "quests",
        "/explore",
        Result(
            "You come back with {gold} gold and one {loot}.",
            (gain("gold", Normal(8, 5, 0, 30)), gain("experience", 8), gain("health", Uniform(-10, 0))),
            loot=Pick({"herb": 50, "ore": 30, "feather": 15, "ruby": 5}),
        ),
        preconditions=(ALIVE, takes(4)),
    ),
    EventType(
        "open_chest",
        "quests",
        "/open_a_chest",
        Result(
            "The chest springs open: {gold} gold, and one {loot}.",
            (gain("gold", Normal(25, 15, 0, 100)), gain("experience", 10)),
            loot=Pick({"potion": 60, "helmet": 30, "ruby": 10}),
        ),
        preconditions=(ALIVE, takes(4)),
        contest=Contest(
            Uniform(1, 20),
            Uniform(5, 15),
            Result("A trap! The chest stays shut.", (gain("health", Uniform(-25, -5)),)),
        ),
    ),
    EventType(
        "solve_riddle",
        "quests",
        "/solve_a_riddle",
        Result("The sphinx bows and pays {gold} gold.", (gain("gold", 20), gain("experience", 15))),
        preconditions=(ALIVE, takes(3)),
        contest=Contest(
            Uniform(1, 20),
            Uniform(8, 16),
            Result("The sphinx yawns and bites. Try again.", (gain("experience", 1), gain("health", Uniform(-15, -5)))),
        ),
    ),
)
