"""Joins: a player joins a guild and leaves the previous one."""

from game_events.event_type import GUILD, EventType
from game_events.rules import FOUNDED, Result

EVENT_TYPES = (
    EventType(
        "join_guild",
        "joins",
        "/join_a_guild",
        Result("Guild Joined!"),
        (GUILD,),
        in_v1=(FOUNDED,),
        sets={"guild": "{guild}"},
    ),
)
