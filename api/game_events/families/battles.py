"""Battles: the higher throw wins, after each side adds its level, its might and its gear."""

from game_events.chance import Normal, Pick, Uniform
from game_events.event_type import OTHER_PLAYER, EventType
from game_events.rules import (
    ALIVE,
    ARMS,
    GUARDS,
    OPPONENT,
    Contest,
    Result,
    Share,
    Taken,
    Who,
    gain,
    has,
    hit,
    takes,
)

_THROW = Normal(10, 4, 1, 20)
_USED_HORSE = {"horse": -1}

EVENT_TYPES = (
    EventType(
        "duel",
        "battles",
        "/duel",
        Result(
            "You beat {target} and take {gold} gold.",
            (
                hit("health", Uniform(-40, -20)),
                hit("gold", Share(-10)),
                gain("gold", Taken()),
                gain("experience", 15),
            ),
        ),
        (OTHER_PLAYER,),
        preconditions=(*OPPONENT, takes(5)),
        contest=Contest(
            _THROW,
            _THROW,
            Result("{target} beats you.", (gain("health", Uniform(-40, -20)), hit("experience", 10))),
            against_player=True,
            arms=ARMS,
            guards=GUARDS,
        ),
    ),
    EventType(
        "raid",
        "battles",
        "/raid",
        Result(
            "You raid the barns of {target} and carry off {gold} gold.",
            (hit("gold", Share(-25)), gain("gold", Taken()), gain("experience", 10)),
            _USED_HORSE,
        ),
        (OTHER_PLAYER,),
        preconditions=(*OPPONENT, has("item:horse", 1, "You need a horse for a raid"), takes(8)),
        contest=Contest(
            _THROW,
            Normal(12, 4, 1, 20),
            Result("The men of {target} drive you off.", (gain("health", Uniform(-30, -10)),), _USED_HORSE),
            against_player=True,
            arms=ARMS,
            guards=GUARDS,
        ),
    ),
    EventType(
        "lay_siege",
        "battles",
        "/lay_siege",
        Result(
            "The castle of {target} falls; its chests hold {gold} gold.",
            (hit("gold", Share(-40)), gain("gold", Taken()), hit("health", -30), gain("experience", 60)),
            _USED_HORSE,
        ),
        (OTHER_PLAYER,),
        preconditions=(
            *OPPONENT,
            has("item:horse", 1, "You need a horse for a siege"),
            has("item:castle", 1, "{target} has no castle", Who.TARGET),
            takes(20),
        ),
        contest=Contest(
            _THROW,
            Normal(15, 4, 1, 25),
            Result(
                "The walls of {target} hold.", (gain("health", Uniform(-50, -20)), hit("experience", 20)), _USED_HORSE
            ),
            against_player=True,
            arms=ARMS,
            guards=GUARDS,
        ),
    ),
    EventType(
        "slay_dragon",
        "battles",
        "/slay_a_dragon",
        Result(
            "The dragon is dead! Its hoard: {gold} gold and one {loot}.",
            (gain("gold", Normal(120, 40, 20, 300)), gain("experience", 80)),
            loot=Pick({"dragon scale": 6, "dragon tooth": 3, "dragon egg": 1}),
        ),
        preconditions=(ALIVE, has("item:sword", 1, "You need a sword to slay a dragon"), takes(20)),
        contest=Contest(
            _THROW,
            Normal(18, 3, 10, 30),
            Result("The dragon breathes fire; you crawl home.", (gain("health", Uniform(-80, -30)),)),
            # Against fire, shields count as much as swords.
            arms=ARMS | GUARDS,
        ),
    ),
)
