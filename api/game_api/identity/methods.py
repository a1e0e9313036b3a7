"""Which actions a GET may do. Links, images and prefetches are GETs that no player wanted (CSRF)."""

from game_events import FIRST, EventType

from game_api.identity.settings import OPEN


def methods(event_type: EventType, mode: str) -> list[str]:
    """Return the methods by which an action is requested."""
    # The first version's clients sent GETs.
    return ["GET", "POST"] if mode == OPEN and event_type in FIRST else ["POST"]
