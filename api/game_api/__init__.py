"""The game's HTTP service: each request becomes an event, and gets its response once Kafka has stored the event."""

from collections.abc import Collection
from random import Random, SystemRandom

from flask import Flask, Response, request
from game_world.world import LimitedError, RefusedError, World, WorldUnavailableError
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from game_api.bodies import ENCODINGS, add_limits
from game_api.bulk import add_bulk
from game_api.callers import add_identity
from game_api.cors import add_cors
from game_api.errors import InvalidRequestError
from game_api.identity.identity import Identity
from game_api.log.event_log import EventLog
from game_api.metrics import count_request
from game_api.operations import add_operations
from game_api.pages.dashboard import add_dashboard
from game_api.pages.play import add_game_pages
from game_api.rate_limits import add_rate_limits
from game_api.replies import error_reply, limited_reply, world_unavailable_reply
from game_api.single import add_actions


def create_app(
    log: EventLog,
    world: World | None = None,
    random: Random | None = None,
    trino_url: str = "",
    cors_origins: Collection[str] = (),
    identity: Identity | None = None,
) -> Flask:
    """Create the application; `random` is the source of chance. By default every name is believed.

    Without a world, only the unconditional actions work.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    # Ignore a trailing slash instead of redirecting: beacons and many simple clients do not follow redirects.
    app.url_map.strict_slashes = False
    app.extensions["event_log"] = log
    identity = identity or Identity.open()
    add_identity(app, identity)
    # Unlike Random, SystemRandom does not draw the same numbers in every worker after a fork.
    random = random or SystemRandom()
    add_actions(app, log, world, random)
    add_bulk(app, log, world, random)
    add_operations(app, log, identity.mode)
    add_dashboard(app, trino_url, world.store.positions if world else None)
    add_game_pages(app, world)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InvalidRequestError, _invalid_request)
    app.register_error_handler(RefusedError, lambda error: error_reply(str(error), 409, error.field))
    app.register_error_handler(LimitedError, lambda error: limited_reply(str(error), error.field, error.seconds))
    app.register_error_handler(WorldUnavailableError, lambda error: world_unavailable_reply(str(error)))
    app.before_request(_refuse_other_paths)
    add_limits(app)
    # Flask calls the last one first.
    app.after_request(_count)
    add_cors(app, cors_origins)
    app.after_request(_forbid_caching)
    # Registered last and so called first: its responses are counted, too.
    add_rate_limits(app, world, identity.settings)
    return app


def _refuse_other_paths() -> None:
    path = request.environ.get("PATH_INFO", "")
    if not path.isascii():
        try:
            path.encode("latin-1").decode()
        except UnicodeDecodeError:
            raise InvalidRequestError("path", "is not UTF-8") from None


def _forbid_caching(response: Response) -> Response:
    # A cached response would skip the effect of the next request, or show it to another player.
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _http_error(error: HTTPException) -> Response:
    response = error_reply(f"{error.name}: {error.description}", error.code or 500)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    if isinstance(error, UnsupportedMediaType):
        response.headers["Accept-Encoding"] = ENCODINGS
    return response


def _invalid_request(error: InvalidRequestError) -> Response:
    return error_reply(str(error), 400, error.field)


def _count(response: Response) -> Response:
    # Unknown paths have no endpoint. They share one label, so clients cannot create new ones.
    count_request(request.endpoint or "unknown", response.status_code)
    return response
