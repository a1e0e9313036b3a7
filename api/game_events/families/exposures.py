"""Exposures: a player saw a variant of an experiment."""

from game_events.event_type import EventType
from game_events.fields import Field, Kind
from game_events.rules import Result

# Any name is valid: apps report experiments that are over, and those that another system assigns.
_EXPERIMENT = Field("experiment", Kind.STRING, "The experiment", required=True, minimum=1, maximum=64)
_VARIANT = Field("variant", Kind.STRING, "The variant that the player saw", required=True, minimum=1, maximum=64)

EVENT_TYPES = (
    EventType(
        "see_experiment",
        "exposures",
        "/see_an_experiment",
        Result("Exposure Recorded!"),
        (_EXPERIMENT, _VARIANT),
        is_report=True,
    ),
)
