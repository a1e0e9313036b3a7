"""Diplomacy: alliances, betrayals and tributes.

An alliance needs both sides: it holds while each has the tie `alliance` to the other, by an offer or by accepting one.
"""

from game_events.chance import Uniform
from game_events.event_type import AMOUNT, OTHER_PLAYER, EventType
from game_events.rules import (
    ALIVE,
    TARGET_KNOWN,
    Given,
    Kind,
    Precondition,
    Result,
    Share,
    Taken,
    Who,
    gain,
    has,
    hit,
    takes,
)

EVENT_TYPES = (
    EventType(
        "propose_alliance",
        "diplomacy",
        "/propose_an_alliance",
        Result("You offer {target} an alliance.", (gain("experience", 1), hit("experience", 1))),
        (OTHER_PLAYER,),
        preconditions=(ALIVE, TARGET_KNOWN, takes(2)),
        sets={"tie": "alliance"},
    ),
    EventType(
        "accept_alliance",
        "diplomacy",
        "/accept_an_alliance",
        Result("You and {target} are allies now.", (gain("experience", 5), hit("experience", 5))),
        (OTHER_PLAYER,),
        preconditions=(
            ALIVE,
            TARGET_KNOWN,
            Precondition(Kind.OFFERED, "There is no offer of {target} to accept", Who.TARGET),
            takes(2),
        ),
        sets={"tie": "alliance"},
    ),
    EventType(
        "betray_ally",
        "diplomacy",
        "/betray_an_ally",
        Result(
            "You betrayed {target} and fled with {gold} gold.",
            (hit("gold", Share(-20)), gain("gold", Taken()), gain("health", Uniform(-20, 0))),
        ),
        (OTHER_PLAYER,),
        preconditions=(ALIVE, TARGET_KNOWN, Precondition(Kind.ALLIED, "{target} is no ally of yours"), takes(10)),
        # The betrayed player has to agree again before there is a next time.
        sets={"tie": "war", "target_tie": ""},
    ),
    EventType(
        "pay_tribute",
        "diplomacy",
        "/pay_tribute",
        Result(
            "You paid {amount} gold to {target}.",
            (gain("gold", Given("amount", -1)), hit("gold", Given("amount"))),
        ),
        (OTHER_PLAYER, AMOUNT),
        preconditions=(
            ALIVE,
            TARGET_KNOWN,
            has("gold", "amount", "You have {have} gold, and {least} you want to pay"),
            takes(1),
        ),
        sets={"tie": "peace"},
    ),
)
