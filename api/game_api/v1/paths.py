"""The paths of version 1."""

from game_events import EventType

EVENTS = "/v1/events"
RECEIPTS = "/v1/events/"
"""Followed by an event's id, which may contain slashes."""
ME = "/v1/me"
FLAGS = "/v1/flags"
PROBLEMS = "/v1/problems"
SCHEMAS = "/v1/schemas"


def action_path(event_type: EventType) -> str:
    return f"/v1/actions/{event_type.name}"


def schema_path(event_type: EventType) -> str:
    return f"{SCHEMAS}/{event_type.name}"
