"""Rate limits of requests that are not single actions: bulk requests, errors, and reads of the world."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from game_events import COMMON_FIELDS
from game_events.names import normal
from game_world.world import LimitedError, World

from game_api.replies import Response, limited_reply
from game_api.request import Request

_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")
_READS = frozenset({"world", "hero", "dashboard_data"})
"""Endpoints that query the store."""
_ERRORS = frozenset({400, 404, 405, 413, 415})
"""Statuses of invalid requests. These cost a token as well."""


async def limit_read(world: World | None, request: Request, endpoint: str) -> None:
    """Charge a read of the world to its address; raise LimitedError if that is above its limit."""
    if endpoint in _READS:
        await _limit(world, request, {}, 1)


async def limit_error(world: World | None, request: Request, response: Response) -> Response:
    """Charge an invalid request to its address; return the response, or another if the address is above its limit."""
    if response.status in _ERRORS and not request.has_paid:
        try:
            await _limit(world, request, {}, 1)
        except LimitedError as error:
            limited = limited_reply(request, str(error), error.field, error.seconds)
            limited.label = response.label
            return limited
    return response


async def limit_events(world: World | None, request: Request, players: Sequence[str | None], sender: str) -> None:
    """Raise LimitedError if events exceed the limit of their address or of a player named in them.

    `players` has one entry per event: None for one that names nobody, which counts for the sender.
    """
    if world is None:
        return
    named: Counter[str] = Counter()
    own = 0
    for player, number in Counter(players).items():
        if player is None:
            own = number
        else:
            named[normal(player)] += number
    named[sender] = max(1, named[sender] + own)
    await _limit(world, request, named, len(players))


def player_of(item: Any) -> str | None:  # noqa: ANN401 JSON
    """Return whom an item names."""
    return item["player"] if type(item) is dict and _PLAYER.allows(item.get("player")) else None


async def _limit(world: World | None, request: Request, players: Mapping[str, int], cost: int) -> None:
    if world is not None:
        request.has_paid = True
        await world.limit(players, request.address, cost)
