"""`/play`: the game in a browser; and what its page asks: `/world`, `/heroes/<name>`, `/actions`."""

import re
from collections.abc import Callable
from importlib.resources import files
from time import monotonic
from typing import Any, TypeVar

from flask import Flask, Response, send_from_directory
from game_events import COMMON_FIELDS
from game_world.views import ReadModel
from game_world.world import World, WorldUnavailableError
from werkzeug.routing import BaseConverter

from game_api.errors import InvalidRequestError
from game_api.pages.actions import action_families
from game_api.pages.page import page
from game_api.parameters import query
from game_api.replies import json_reply

KEPT_SECONDS = 0.5
"""For so long an overview is shown to all who look."""

# As many digits as surely fit the store's 64 bits.
PLACE = "[0-9]{1,19}-[0-9]{1,19}"
_PLACE = re.compile(PLACE)
_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")

Json = dict[str, Any]
T = TypeVar("T")


class _NameConverter(BaseConverter):
    """The rest of the path, whatever it is: a player's name may have slashes, even at its ends."""

    part_isolating = False
    regex = "(?s:.+)"


def add_game_pages(app: Flask, world: World | None) -> None:
    """Add the page and what it asks. Without a world the page says that it is away."""
    looking = _Looking(world)
    families = {"families": action_families()}
    app.url_map.converters["name"] = _NameConverter

    def play() -> Response:
        return page("play.html")

    def static(file: str) -> Response:
        response = send_from_directory(str(files("game_api.pages") / "static"), file)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def see_world() -> Response:
        after = dict(query()).get("after", "")
        if after and not _PLACE.fullmatch(after):
            raise InvalidRequestError("after", "expected the id of an entry, such as 1700000000000-0")
        return json_reply({**looking.overview(), "feed": looking.ask(lambda sights: sights.feed(after))})

    def see_hero(name: str) -> Response:
        if not _PLAYER.allows(name):
            raise InvalidRequestError("name", f"expected {_PLAYER.expectation}")
        return json_reply(looking.ask(lambda sights: sights.hero(name)))

    def see_actions() -> Response:
        return json_reply(families)

    app.add_url_rule("/play", "play", play)
    app.add_url_rule("/static/<file>", "static", static)
    app.add_url_rule("/world", "world", see_world)
    app.add_url_rule("/heroes/<name:name>", "hero", see_hero)
    app.add_url_rule("/actions", "actions", see_actions)


class _Looking:
    """Looks at the world for all who watch: however many they are, the store is asked little."""

    def __init__(self, world: World | None) -> None:
        self._world = world
        self._sights = ReadModel(world.store) if world else None
        self._overview: tuple[float, Json] = (0.0, {})

    def ask(self, look: Callable[[ReadModel], T]) -> T:
        """Look; raise WorldUnavailableError if there is nothing to look at."""
        if self._world is None or self._sights is None:
            raise WorldUnavailableError("there is no world here")
        sights = self._sights
        return self._world.ask(lambda: look(sights))

    def overview(self) -> Json:
        until, overview = self._overview
        if monotonic() >= until:
            overview = self.ask(ReadModel.overview)
            self._overview = (monotonic() + KEPT_SECONDS, overview)
        return overview
