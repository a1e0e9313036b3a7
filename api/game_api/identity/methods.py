"""Which actions a GET may do. Links, images and prefetches are GETs that no player wanted (CSRF)."""

from game_events import EventType

from game_api.identity.settings import OPEN

FIRST = frozenset(
    {"default", "purchase_sword", "purchase_axe", "purchase_shield", "join_guild", "declare_war", "declare_peace"}
)
"""The event types of the first version, whose clients sent GETs."""


def methods(event_type: EventType, mode: str) -> list[str]:
    """Return the methods by which an action is requested."""
    return ["GET", "POST"] if mode == OPEN and event_type.name in FIRST else ["POST"]
