"""`GET /v1/me`: who the caller is, and their hero."""

from typing import Any

from game_world.world import World

from game_api.callers import Callers
from game_api.pages.site import Site
from game_api.rate_limits import RateLimits
from game_api.replies import Response, json_reply
from game_api.request import Request


class Me:
    """Responds to the request. Without a world there is no hero."""

    def __init__(self, world: World | None, callers: Callers, limits: RateLimits, site: Site) -> None:
        self._world = world
        self._callers = callers
        self._limits = limits
        self._site = site

    async def __call__(self, request: Request) -> Response:
        sender, caller = await self._callers.identified(request)
        await self._limits.read(request, "v1_me")
        body: dict[str, Any] = {
            "player": sender.player,
            "mode": self._callers.identity.mode,
            "proven": bool(caller.player),
            "scopes": sorted(caller.scopes),
        }
        if caller.key:
            body["key"] = caller.key
        if self._world:
            world, name = self._world, sender.player_name or sender.player
            body["hero"] = await self._site.run(lambda: world.ask(lambda: world.views.hero(name)))
        return json_reply(body)
