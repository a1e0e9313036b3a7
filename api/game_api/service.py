"""The service: it responds to any request, whatever transport brings it.

The event loop answers the game's requests itself. Pages and documents, which may wait for other servers, are answered
by the site's own threads.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import NamedTuple

from game_world.limits import Meter
from werkzeug.exceptions import MethodNotAllowed

from game_api.callers import Callers
from game_api.cors import add_headers
from game_api.errors import BusyError, error_response
from game_api.log.event_log import EventLog
from game_api.metrics import count_request
from game_api.pages.site import Site
from game_api.rate_limits import RateLimits
from game_api.replies import Response
from game_api.request import Request
from game_api.v1.rate_headers import add_rate_limits

MOST_REQUESTS = 1000
VITAL = frozenset({"/healthz", "/readyz"})
"""Paths that are answered however many requests there are: a busy service must not be restarted."""

Handler = Callable[[Request], Awaitable[Response]]


class Route(NamedTuple):
    """A path that the event loop answers, or with `*` at its end all that begin so; `name` is that in the metrics."""

    name: str
    methods: tuple[str, ...]
    handler: Handler


class Service:
    """Answers requests; all of its coroutines run in one event loop. Survives a fork before its first use."""

    def __init__(
        self,
        log: EventLog,
        callers: Callers,
        limits: RateLimits,
        routes: Mapping[str, Route],
        site: Site,
        cors_origins: Collection[str],
        most_requests: int = MOST_REQUESTS,
    ) -> None:
        self.log = log
        self.identity = callers.identity
        self._callers = callers
        self._limits = limits
        self._routes = routes
        self._prefixes = [(path[:-1], route) for path, route in routes.items() if path.endswith("*")]
        self._site = site
        self._origins = cors_origins
        self._most = most_requests
        self._in_flight = 0

    async def __call__(self, request: Request) -> Response:
        """Return the response to a request. It never raises."""
        if request.is_v1:
            request.meter = Meter()
        if self._in_flight >= self._most and request.path not in VITAL:
            return self._finish(request, error_response(request, BusyError("too many requests at once: try again")))
        self._in_flight += 1
        try:
            response = await self._respond(request)
            response = await self._limits.error(request, response)
        except Exception as error:
            response = error_response(request, error)
        finally:
            self._in_flight -= 1
        return self._finish(request, response)

    def _finish(self, request: Request, response: Response) -> Response:
        """Add what every response has, and count it."""
        # A cached response would skip the effect of the next request, or show it to another player.
        response.headers.setdefault("Cache-Control", "no-store")
        self._callers.hand_out(request, response)
        add_rate_limits(request, response)
        add_headers(request, response, self._origins)
        count_request(response.label, response.status)
        return response

    async def _respond(self, request: Request) -> Response:
        label = "unknown"
        try:
            if request.problem is not None:
                raise request.problem
            path = request.path
            route = self._route(path)
            if route is None:
                label = self._site.endpoint(request)
                await self._limits.read(request, label)
                response = await self._site(request)
            elif request.method in route.methods:
                label = route.name
                response = await route.handler(request)
            elif request.method == "OPTIONS":
                label = route.name
                response = Response(b"", headers={"Allow": ", ".join(_methods(route))})
            else:
                raise MethodNotAllowed(_methods(route))
        except Exception as error:
            response = error_response(request, error)
        response.label = label
        return response

    def _route(self, path: str) -> Route | None:
        """Return the route of a path, of the path without a trailing slash, or of what the path begins with."""
        route = self._routes.get(path) or (self._routes.get(path[:-1]) if path[-1:] == "/" else None)
        return route or next((below for prefix, below in self._prefixes if path.startswith(prefix)), None)


def _methods(route: Route) -> list[str]:
    return [*route.methods, "OPTIONS"]
