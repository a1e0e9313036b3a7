"""Rate limits of requests that are not single actions: bulk requests, errors, and reads of the world."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from game_events import COMMON_FIELDS
from game_events.names import normal
from game_world.world import LimitedError, World

from game_api.callers import Callers
from game_api.identity.caller import Caller
from game_api.identity.limits import buckets
from game_api.replies import Response, limited_reply
from game_api.request import Request

_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")
_READS = frozenset({"world", "hero", "dashboard_data", "v1_me", "v1_event"})
"""Endpoints that query the store."""
_ERRORS = frozenset({400, 401, 403, 404, 405, 413, 415})
"""Statuses of invalid requests. These cost a token as well."""


class RateLimits:
    """Charges requests to their address, to players, and to their caller. Without a world, nothing is limited.

    Unless names are not proven, an address has a lower limit for requests without a valid credential.
    """

    def __init__(self, world: World | None, callers: Callers) -> None:
        self._world = world
        self._callers = callers

    async def read(self, request: Request, endpoint: str) -> None:
        """Charge a read of the world; raise LimitedError above the limit."""
        if endpoint in _READS:
            await self._caller(request)

    async def error(self, request: Request, response: Response) -> Response:
        """Charge an invalid request; return the response, or another above the limit."""
        if response.status in _ERRORS and not request.has_paid:
            try:
                await self._caller(request)
            except LimitedError as error:
                limited = limited_reply(request, str(error), error.field, error.seconds)
                limited.label = response.label
                return limited
        return response

    async def events(self, request: Request, players: Sequence[str | None], sender: str, caller: Caller) -> None:
        """Raise LimitedError if events exceed the limit of their address, of a player named in them, or of the key.

        `players` has one entry per event: None for one that names nobody, which counts for the sender.
        """
        if self._world is None:
            return
        named: Counter[str] = Counter()
        own = 0
        for player, number in Counter(players).items():
            if player is None:
                own = number
            else:
                named[normal(player)] += number
        named[sender] = max(1, named[sender] + own)
        await self._take(request, named, len(players), caller)

    async def _caller(self, request: Request) -> None:
        """Charge one token to the address, and to the caller if a valid credential says who it is."""
        if self._world is None:
            return
        caller = await self._callers.subject(request)
        await self._take(request, {caller.player: 1} if caller and caller.player else {}, 1, caller)

    async def _take(self, request: Request, players: Mapping[str, int], cost: int, caller: Caller | None) -> None:
        if self._world is not None:
            request.has_paid = True
            further = buckets(self._callers.identity.settings, caller, request.address, cost)
            await self._world.limit(players, request.address, cost, further, request.meter)


def player_of(item: Any) -> str | None:  # noqa: ANN401 JSON
    """Return whom an item names."""
    return item["player"] if type(item) is dict and _PLAYER.allows(item.get("player")) else None
