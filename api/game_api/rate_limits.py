"""Rate limits of requests that are not single actions: bulk requests, errors, and reads of the world."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, g, request
from game_events import COMMON_FIELDS
from game_events.names import normal
from game_world.world import LimitedError, World

from game_api.callers import subject
from game_api.identity.caller import Caller
from game_api.identity.limits import buckets
from game_api.identity.settings import IdentitySettings
from game_api.replies import limited_reply

_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")
_READS = frozenset({"world", "hero", "dashboard_data"})
"""Endpoints that query the store."""
_ERRORS = frozenset({400, 401, 403, 404, 405, 413, 415})
"""Statuses of invalid requests. These cost a token as well."""


def add_rate_limits(app: Flask, world: World | None, settings: IdentitySettings) -> None:
    """Charge reads of the world and invalid requests to their address, and to their caller.

    Unless names are not proven, an address has a lower limit for requests without a valid credential.
    """
    if world is None:
        return

    def limit_read() -> None:
        if request.endpoint in _READS:
            _limit_caller(world, settings)

    def limit_error(response: Response) -> Response:
        if response.status_code in _ERRORS and not g.get("has_paid"):
            try:
                _limit_caller(world, settings)
            except LimitedError as error:
                return limited_reply(str(error), error.field, error.seconds)
        return response

    app.before_request(limit_read)
    app.after_request(limit_error)


def limit_events(world: World, settings: IdentitySettings, items: Sequence[Any], sender: str, caller: Caller) -> None:
    """Raise LimitedError if the events exceed the limit of their address, of a player named in them, or of the key."""
    named = Counter(normal(item["player"]) for item in items if _has_player(item))
    named[sender] = max(1, named[sender] + len(items) - named.total())
    _limit(world, settings, named, len(items), caller)


def _has_player(item: Any) -> bool:  # noqa: ANN401 JSON
    return type(item) is dict and _PLAYER.allows(item.get("player"))


def _limit_caller(world: World, settings: IdentitySettings) -> None:
    caller = None if settings.is_open else subject()
    _limit(world, settings, {caller.player: 1} if caller and caller.player else {}, 1, caller)


def _limit(world: World, settings: IdentitySettings, players: dict[str, int], cost: int, caller: Caller | None) -> None:
    g.has_paid = True
    address = request.remote_addr or ""
    world.limit(players, address, cost, buckets(settings, caller, address, cost))
