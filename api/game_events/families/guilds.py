"""Guilds: founding, leaving, promotions and donations. Joining is a family of its own."""

from game_events.event_type import AMOUNT, NEW_GUILD, OTHER_PLAYER, OWN_GUILD, EventType
from game_events.rules import (
    ALIVE,
    IN_GUILD,
    NO_GUILD,
    TARGET_KNOWN,
    Change,
    Given,
    Kind,
    Precondition,
    Result,
    Who,
    costs,
    gain,
    has,
    hit,
    takes,
)

_OWN = frozenset({"guild"})

EVENT_TYPES = (
    EventType(
        "found_guild",
        "guilds",
        "/found_a_guild",
        Result("You founded {guild}.", (gain("gold", -50), gain("experience", 20))),
        (NEW_GUILD,),
        preconditions=(
            ALIVE,
            NO_GUILD,
            Precondition(Kind.NEW_GUILD, "There is a guild {guild} already"),
            costs(50, "a guild"),
            takes(10),
        ),
        sets={"guild": "{guild}"},
    ),
    EventType(
        "leave_guild",
        "guilds",
        "/leave_the_guild",
        Result("You left {guild}."),
        (OWN_GUILD,),
        decided=_OWN,
        preconditions=(IN_GUILD,),
        sets={"guild": ""},
    ),
    EventType(
        "promote_member",
        "guilds",
        "/promote_a_member",
        Result("You promoted {target} in {guild}.", (hit("experience", 10), Change(Who.GUILD, "gold", -10))),
        (OTHER_PLAYER, OWN_GUILD),
        decided=_OWN,
        preconditions=(
            IN_GUILD,
            TARGET_KNOWN,
            Precondition(Kind.SAME_GUILD, "{target} is not in your guild"),
            has("gold", 10, "A promotion costs your guild {least} gold, and it has {have}: donate some", Who.GUILD),
            takes(5),
        ),
    ),
    EventType(
        "donate_gold",
        "guilds",
        "/donate_gold",
        Result(
            "You gave {amount} gold to {guild}.",
            (
                gain("gold", Given("amount", -1)),
                Change(Who.GUILD, "gold", Given("amount")),
                gain("experience", 2),
            ),
        ),
        (AMOUNT, OWN_GUILD),
        decided=_OWN,
        preconditions=(
            ALIVE,
            IN_GUILD,
            has("gold", "amount", "You have {have} gold, and {least} you want to give"),
            takes(1),
        ),
    ),
)
