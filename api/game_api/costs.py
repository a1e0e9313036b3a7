"""What requests cost of their limits that are no single action: bulk, errors, and looks at the world."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, g, request
from game_events import COMMON_FIELDS
from game_events.names import normal
from game_world.world import LimitedError, World

from game_api.replies import limited_reply

_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")
_LOOKS = frozenset({"world", "hero", "dashboard_data"})
"""Endpoints that ask the store."""
_ERRORS = frozenset({400, 404, 405, 413, 415})
"""Of requests that were not decided: they cost, too, for nobody needs many."""


def add_costs(app: Flask, world: World | None) -> None:
    """Make looks at the world, and requests that come to nothing, cost a token of their address."""
    if world is None:
        return

    def limit_look() -> None:
        if request.endpoint in _LOOKS:
            _limit(world, {}, 1)

    def limit_error(response: Response) -> Response:
        if response.status_code in _ERRORS and not g.get("has_paid"):
            try:
                _limit(world, {}, 1)
            except LimitedError as error:
                return limited_reply(str(error), error.field, error.seconds)
        return response

    app.before_request(limit_look)
    app.after_request(limit_error)


def limit_events(world: World, items: Sequence[Any], sender: str) -> None:
    """Raise LimitedError if so many events are too much for their address, or for a player who is named in them."""
    named = Counter(normal(item["player"]) for item in items if _names_somebody(item))
    named[sender] = max(1, named[sender] + len(items) - named.total())
    _limit(world, named, len(items))


def _names_somebody(item: Any) -> bool:  # noqa: ANN401 JSON
    return type(item) is dict and _PLAYER.allows(item.get("player"))


def _limit(world: World, players: dict[str, int], cost: int) -> None:
    g.has_paid = True
    world.limit(players, request.remote_addr or "", cost)
