"""The tavern: ale, dice and strong arms."""

from game_events.chance import Uniform
from game_events.event_type import AMOUNT, OTHER_PLAYER, EventType
from game_events.rules import (
    ALIVE,
    OPPONENT,
    Contest,
    Given,
    Kind,
    Precondition,
    Result,
    costs,
    gain,
    has,
    hit,
    takes,
)

EVENT_TYPES = (
    EventType(
        "drink_ale",
        "tavern",
        "/drink_an_ale",
        Result("Cheers! You feel it.", (gain("gold", -2), gain("health", Uniform(-2, 6)))),
        preconditions=(ALIVE, costs(2, "an ale")),
    ),
    EventType(
        "throw_dice",
        "tavern",
        "/throw_dice",
        Result("Your dice win {gold} gold.", (gain("gold", Given("amount")),)),
        (AMOUNT,),
        preconditions=(
            ALIVE,
            has("gold", "amount", "You have {have} gold, and {least} you want to bet"),
            Precondition(Kind.AT_MOST, "The house takes bets of at most {least} gold", attribute="amount", least=40),
            takes(2),
        ),
        contest=Contest(
            # The house wins 55 of 100 times.
            Uniform(2, 12),
            Uniform(3, 13),
            Result("The house wins.", (gain("gold", Given("amount", -1)),)),
        ),
    ),
    EventType(
        "arm_wrestle",
        "tavern",
        "/arm_wrestle",
        Result("You slam the arm of {target} on the table.", (gain("experience", 6),)),
        (OTHER_PLAYER,),
        preconditions=(*OPPONENT, takes(2)),
        contest=Contest(
            Uniform(1, 20),
            Uniform(1, 20),
            Result("{target} is stronger.", (hit("experience", 6),)),
            against_player=True,
        ),
    ),
)
