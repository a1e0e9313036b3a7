"""The caller of a Flask request: the one place where the transport and `game_api.identity` meet."""

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from game_api.identity.caller import Caller
from game_api.identity.errors import ForbiddenError, KeysUnavailableError, UnauthorizedError
from game_api.identity.identity import Identity, Sender
from game_api.origin import PLAYER_HEADER, Origin, origin
from game_api.replies import error_reply, world_unavailable_reply

_HEADERS = {"HTTP_" + name.upper(): name for name in ("authorization", "cookie", "origin", "host")}
T = TypeVar("T")

_PLAYER_VARIABLE = "HTTP_" + PLAYER_HEADER.upper().replace("-", "_")


def add_identity(app: Flask, identity: Identity) -> None:
    app.extensions["identity"] = identity
    app.register_error_handler(UnauthorizedError, _unauthorized)
    app.register_error_handler(ForbiddenError, lambda error: error_reply(str(error), 403, error.field))
    app.register_error_handler(KeysUnavailableError, lambda error: world_unavailable_reply(str(error)))
    if not identity.is_open:
        app.after_request(_hand_out)


def identified(environ: Mapping[str, Any], scope: str) -> tuple[Origin, Caller]:
    """Return the sender, whose name is proven unless the mode is `open`, and the caller.

    Raises InvalidRequestError, and what `Identity.identify` raises.
    """
    sender, identity = origin(environ), _identity()
    if identity.is_open:
        return sender, _at_once(identity.identify(_NOBODY, scope))
    # Until it is known: what follows an error need not look again.
    g.caller = None
    named = sender.player if _PLAYER_VARIABLE in environ else ""
    caller = _at_once(identity.identify(_sender(environ, named), scope))
    g.caller = caller
    if not caller.player or caller.player == sender.player:
        return sender, caller
    return replace(sender, player=caller.player, player_name=""), caller


def subject() -> Caller | None:
    """Return the request's caller if a valid credential says who it is, also for requests that need none."""
    if "caller" not in g:
        g.caller = _at_once(_identity().subject(_sender(request.environ, "")))
    caller: Caller | None = g.caller
    return caller


_NOBODY = Sender({})


def _at_once(step: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing: the world's answers come without an event loop."""
    try:
        step.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise RuntimeError("a coroutine waits for an event loop")


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity


def _sender(environ: Mapping[str, Any], named: str) -> Sender:
    headers = {name: environ[variable] for variable, name in _HEADERS.items() if variable in environ}
    return Sender(headers, environ.get("REMOTE_ADDR", ""), named, environ.get("wsgi.url_scheme") == "https")


def _unauthorized(error: UnauthorizedError) -> Response:
    response = error_reply(str(error), 401, error.field)
    for name, value in _identity().refusal_headers(_sender(request.environ, ""), error):
        response.headers.add(name, value)
    return response


def _hand_out(response: Response) -> Response:
    caller: Caller | None = g.get("caller")
    if caller:
        for name, value in _identity().response_headers(_sender(request.environ, ""), caller):
            response.headers.add(name, value)
    return response
