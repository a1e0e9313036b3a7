"""The game's HTTP service: a request becomes an event, and is answered once the event is safe."""

from random import Random, SystemRandom

from flask import Flask, Response, request
from game_world.world import LimitedError, RefusedError, World, WorldAwayError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from game_api.bulk import MAX_BODY, add_bulk
from game_api.costs import add_costs
from game_api.dashboard import add_dashboard
from game_api.errors import InvalidRequestError
from game_api.event_log import EventLog
from game_api.game_pages import add_game_pages
from game_api.metrics import count_request
from game_api.operations import add_operations
from game_api.replies import error_reply, limited_reply, world_away_reply
from game_api.single import add_actions


def create_app(log: EventLog, world: World | None = None, random: Random | None = None, trino_url: str = "") -> Flask:
    """Make the application on this log; `random` makes what players draw.

    Without a world there are only the actions that depend on nothing.
    """
    app = Flask(__name__, static_folder=None)
    # One more than allowed: a body of unknown length is cut there in silence, and only so is seen to be too large.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY + 1
    app.url_map.merge_slashes = False
    app.extensions["event_log"] = log
    # The system's, unlike a generator of our own, does not draw the same numbers in every worker after a fork.
    add_actions(app, log, world, random or SystemRandom())
    add_bulk(app, log, world)
    add_operations(app, log)
    add_dashboard(app, trino_url, world.store.positions if world else None)
    add_game_pages(app, world)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InvalidRequestError, _invalid_request)
    app.register_error_handler(RefusedError, lambda error: error_reply(str(error), 409, error.field))
    app.register_error_handler(LimitedError, lambda error: limited_reply(str(error), error.field, error.seconds))
    app.register_error_handler(WorldAwayError, lambda error: world_away_reply(str(error)))
    app.before_request(_refuse_large_body)
    app.after_request(_count)
    # After the others, so that its answers are counted, too: the last is called first.
    add_costs(app, world)
    return app


def _refuse_large_body() -> None:
    # Flask looks at a body's length only when a view reads it.
    if (request.content_length or 0) > MAX_BODY:
        raise RequestEntityTooLarge


def _http_error(error: HTTPException) -> Response:
    response = error_reply(f"{error.name}: {error.description}", error.code or 500)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _invalid_request(error: InvalidRequestError) -> Response:
    return error_reply(str(error), 400, error.field)


def _count(response: Response) -> Response:
    # An unknown path has no endpoint: all of them are one label.
    count_request(request.endpoint or "unknown", response.status_code)
    return response
