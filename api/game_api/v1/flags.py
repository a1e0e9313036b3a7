"""`GET /v1/flags`: which variant of each experiment the caller sees."""

from game_events.experiments import variants_of

from game_api.callers import Callers
from game_api.rate_limits import RateLimits
from game_api.replies import Response, json_reply
from game_api.request import Request


class Flags:
    """Responds to the request, also without a world."""

    def __init__(self, callers: Callers, limits: RateLimits) -> None:
        self._callers = callers
        self._limits = limits

    async def __call__(self, request: Request) -> Response:
        sender, _ = await self._callers.identified(request)
        await self._limits.read(request, "v1_flags")
        return json_reply({"player": sender.player, "experiments": variants_of(sender.player)})
