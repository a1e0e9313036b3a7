"""Visits: the request for `/`."""

from game_events.event_type import EventType
from game_events.rules import Result

EVENT_TYPES = (EventType("default", "visits", "/", Result("This is the default response!")),)
