"""The caller of a request: the one place where requests and `game_api.identity` meet."""

from dataclasses import replace

from game_api.identity.caller import ANYONE, Caller
from game_api.identity.identity import Identity, Sender
from game_api.origin import PLAYER_HEADER, Origin, origin
from game_api.replies import Response
from game_api.request import Request

_PLAYER = PLAYER_HEADER.lower()


class Callers:
    """Finds out who sends each request, and hands out tokens with the responses."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    async def identified(self, request: Request, scope: str = "") -> tuple[Origin, Caller]:
        """Return the sender, whose name is proven unless the mode is `open`, and the caller, who has this scope.

        Without a scope any caller with a credential will do, and no name is claimed.
        Raises InvalidRequestError, and what `Identity.identify` raises.
        """
        sender = origin(request.headers)
        if self.identity.is_open:
            return sender, ANYONE
        # Until it is known: what follows an error need not look again.
        request.is_identified = True
        named = sender.player if _PLAYER in request.headers else ""
        given = _sender(request, named)
        caller = await (self.identity.identify(given, scope) if scope else self.identity.known(given))
        request.caller = caller
        if not caller.player or caller.player == sender.player:
            return sender, caller
        return replace(sender, player=caller.player, player_name=""), caller

    async def subject(self, request: Request) -> Caller | None:
        """Return the caller if a valid credential says who it is, also of a request that needs none."""
        if not request.is_identified:
            request.is_identified = True
            request.caller = await self.identity.subject(_sender(request, ""))
        return request.caller

    def hand_out(self, request: Request, response: Response) -> None:
        """Add the token that the caller is given to the response, whatever its status."""
        if request.caller is not None:
            response.headers.update(self.identity.response_headers(_sender(request, ""), request.caller))


def _sender(request: Request, named: str) -> Sender:
    return Sender(request.headers, request.address, named, request.is_https)
