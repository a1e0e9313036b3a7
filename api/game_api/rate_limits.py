"""Rate limits of requests that are not single actions: bulk requests, errors, and reads of the world."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, g, request
from game_events import COMMON_FIELDS
from game_events.names import normal
from game_world.world import LimitedError, World

from game_api.replies import limited_reply

_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")
_READS = frozenset({"world", "hero", "dashboard_data"})
"""Endpoints that query the store."""
_ERRORS = frozenset({400, 404, 405, 413, 415})
"""Statuses of invalid requests. These cost a token as well."""


def add_rate_limits(app: Flask, world: World | None) -> None:
    """Charge reads of the world and invalid requests to their address."""
    if world is None:
        return

    def limit_read() -> None:
        if request.endpoint in _READS:
            _limit(world, {}, 1)

    def limit_error(response: Response) -> Response:
        if response.status_code in _ERRORS and not g.get("has_paid"):
            try:
                _limit(world, {}, 1)
            except LimitedError as error:
                return limited_reply(str(error), error.field, error.seconds)
        return response

    app.before_request(limit_read)
    app.after_request(limit_error)


def limit_events(world: World, items: Sequence[Any], sender: str) -> None:
    """Raise LimitedError if the events exceed the limit of their address or of a player named in them."""
    named = Counter(normal(item["player"]) for item in items if _has_player(item))
    named[sender] = max(1, named[sender] + len(items) - named.total())
    _limit(world, named, len(items))


def _has_player(item: Any) -> bool:  # noqa: ANN401 JSON
    return type(item) is dict and _PLAYER.allows(item.get("player"))


def _limit(world: World, players: dict[str, int], cost: int) -> None:
    g.has_paid = True
    world.limit(players, request.remote_addr or "", cost)
