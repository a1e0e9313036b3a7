"""The game in a browser, `/play`, and the endpoints that its page uses beside version 1 of the API.

They are `/world`, `/heroes/<name>`, `/actions` and `/play/sign-out`.
"""

import re
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from flask import Flask, Response, request
from game_events import COMMON_FIELDS
from game_world.views import Views
from game_world.world import World, WorldUnavailableError
from werkzeug.routing import BaseConverter

from game_api.errors import InvalidRequestError
from game_api.identity.credentials import deleted, is_same_origin
from game_api.identity.errors import ForbiddenError
from game_api.pages.actions import action_families
from game_api.pages.page import add_files, json_page, page
from game_api.parameters import pairs

SIGN_OUT = "/play/sign-out"
CACHE_SECONDS = 0.5
"""How long an overview is cached for all viewers."""

# The id of an entry of the event feed. 19 digits always fit the store's 64 bits.
FEED_ID = "[0-9]{1,19}-[0-9]{1,19}"
_FEED_ID = re.compile(FEED_ID)
_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")

_SDK = ("game-client.js", "game-client-queue.js", "game-client-requests.js")
_MODULES = ("play.js", "play-deeds.js", "play-reports.js", "play-requests.js", "play-views.js")
_FILES = (*_SDK, *_MODULES, "play.css", "play-icons.svg")

Json = dict[str, Any]
T = TypeVar("T")


class _NameConverter(BaseConverter):
    """Matches the rest of the path: a player's name may contain slashes, even at its ends."""

    part_isolating = False
    regex = "(?s:.+)"


def add_game_pages(app: Flask, world: World | None, mode: str) -> None:
    """Add the page and its endpoints; `mode` says how players are known. Without a world, the page says so."""
    viewer = _Viewer(world)
    actions = {"players": mode, "families": action_families()}
    app.url_map.converters["name"] = _NameConverter

    def play() -> Response:
        return page("play.html")

    def read_world() -> Response:
        after = dict(pairs(request.query_string.decode("latin-1"))).get("after", "")
        if after and not _FEED_ID.fullmatch(after):
            raise InvalidRequestError("after", "expected the id of an entry, such as 1700000000000-0")
        return json_page({**viewer.overview(), "feed": viewer.ask(lambda views: views.feed(after))})

    def read_hero(name: str) -> Response:
        if not _PLAYER.allows(name):
            raise InvalidRequestError("name", f"expected {_PLAYER.expectation}")
        return json_page(viewer.ask(lambda views: views.hero(name)))

    def list_actions() -> Response:
        return json_page(actions)

    def sign_out() -> Response:
        # Another site's page could sign players out, and in mode `claimed` they would lose their names.
        if not is_same_origin({name.lower(): value for name, value in request.headers.items()}):
            raise ForbiddenError("Origin", "expected a page of this service")
        response = json_page({"signed_out": True})
        response.headers.add(*deleted(request.is_secure))
        return response

    app.add_url_rule("/play", "play", play)
    add_files(app, *_FILES)
    app.add_url_rule("/world", "world", read_world)
    app.add_url_rule("/heroes/<name:name>", "hero", read_hero)
    app.add_url_rule("/actions", "actions", list_actions)
    app.add_url_rule(SIGN_OUT, "sign_out", sign_out, methods=["POST"])


class _Viewer:
    """Reads the world for all viewers, so that their number hardly matters to the store."""

    def __init__(self, world: World | None) -> None:
        self._world = world
        self._overview: tuple[float, Json] = (0.0, {})

    def ask(self, read: Callable[[Views], T]) -> T:
        """Read from the world; raise WorldUnavailableError if it is unavailable or does not exist."""
        if self._world is None:
            raise WorldUnavailableError("this service has no world")
        views = self._world.views
        return self._world.ask(lambda: read(views))

    def overview(self) -> Json:
        until, overview = self._overview
        if monotonic() >= until:
            overview = self.ask(lambda views: views.overview())
            self._overview = (monotonic() + CACHE_SECONDS, overview)
        return overview
