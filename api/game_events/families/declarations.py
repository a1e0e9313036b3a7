"""Declarations: of war and of peace."""

from game_events.event_type import TARGET, EventType
from game_events.rules import Result

EVENT_TYPES = (
    EventType("declare_war", "declarations", "/declare_a_war", Result("War Declared!"), (TARGET,), sets={"tie": "war"}),
    EventType(
        "declare_peace",
        "declarations",
        "/declare_peace",
        Result("Peace Declared!"),
        (TARGET,),
        "lastful peace",
        sets={"tie": "peace"},
    ),
)
