"""The paths of version 1."""

from collections.abc import Callable

from game_events import EVENT_TYPES, EventType

from game_api.door import Handler, Route
from game_api.v1 import paths
from game_api.v1.actions import ActionV1
from game_api.v1.explanations import Explanation
from game_api.v1.problems import PROBLEMS, type_of
from game_api.v1.schemas import schema_list, schema_of


def routes(
    action: Callable[[EventType], ActionV1], bulk: Handler, me: Handler, flags: Handler, receipts: Handler
) -> dict[str, Route]:
    """Return the routes by their paths; `action` makes the handler of an event type."""
    made = {
        paths.action_path(event_type): Route(f"v1_{event_type.name}", ("POST",), action(event_type))
        for event_type in EVENT_TYPES.values()
    }
    made[paths.EVENTS] = Route("v1_events", ("POST",), bulk)
    made[f"{paths.RECEIPTS}*"] = Route("v1_event", ("GET", "HEAD"), receipts)
    made[paths.ME] = Route("v1_me", ("GET", "HEAD"), me)
    made[paths.FLAGS] = Route("v1_flags", ("GET", "HEAD"), flags)
    for path, kind in {paths.PROBLEMS: "", **{type_of(kind): kind for kind in PROBLEMS}}.items():
        made[path] = Route("v1_problems", ("GET", "HEAD"), Explanation(kind))
    made[paths.SCHEMAS] = Route("v1_schemas", ("GET", "HEAD"), schema_list())
    for event_type in EVENT_TYPES.values():
        made[paths.schema_path(event_type)] = Route("v1_schemas", ("GET", "HEAD"), schema_of(event_type))
    return made
