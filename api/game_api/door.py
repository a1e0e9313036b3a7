"""What one of the service's ports answers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from game_api.pages.site import Site
from game_api.replies import Response
from game_api.request import Request

Handler = Callable[[Request], Awaitable[Response]]


class Route(NamedTuple):
    """A path that the event loop answers, or with `*` at its end all that begin so; `name` is that in the metrics."""

    name: str
    methods: tuple[str, ...]
    handler: Handler


class Door:
    """Routes, which the event loop answers, and the site for all other paths."""

    def __init__(self, routes: Mapping[str, Route], site: Site) -> None:
        self.site = site
        self._routes = routes
        self._prefixes = [(path[:-1], route) for path, route in routes.items() if path.endswith("*")]

    def route(self, path: str) -> Route | None:
        """Return the route of a path, of the path without a trailing slash, or of what the path begins with."""
        route = self._routes.get(path) or (self._routes.get(path[:-1]) if path[-1:] == "/" else None)
        return route or next((below for prefix, below in self._prefixes if path.startswith(prefix)), None)
