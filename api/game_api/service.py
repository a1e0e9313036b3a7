"""The service: it responds to any request, whatever transport brings it.

The event loop answers the game's requests itself. Pages and documents, which may wait for other servers, are answered
by the site's own threads.
"""

from collections.abc import Collection

from game_settings.logs import REQUEST_ID
from game_world.limits import Meter
from werkzeug.exceptions import MethodNotAllowed

from game_api.callers import Callers
from game_api.cors import add_headers
from game_api.door import Door, Route
from game_api.errors import BusyError, error_response
from game_api.log.event_log import EventLog
from game_api.metrics import count_refusal, count_request
from game_api.rate_limits import RateLimits
from game_api.replies import Response
from game_api.request import Request
from game_api.request_ids import REQUEST_ID_HEADER, request_id
from game_api.v1.rate_headers import add_rate_limits

MOST_REQUESTS = 1000
VITAL = "/healthz"
"""It is answered however many requests there are, as is the admin port: a busy service must not be restarted."""


class Service:
    """Answers requests; all of its coroutines run in one event loop. Survives a fork before its first use."""

    def __init__(
        self,
        log: EventLog,
        callers: Callers,
        limits: RateLimits,
        public: Door,
        admin: Door,
        cors_origins: Collection[str],
        most_requests: int = MOST_REQUESTS,
    ) -> None:
        self.log = log
        self.identity = callers.identity
        self._callers = callers
        self._limits = limits
        self._public = public
        self._admin = admin
        self._origins = cors_origins
        self._most = most_requests
        self._in_flight = 0

    async def __call__(self, request: Request) -> Response:
        """Return the response to a request. It never raises."""
        request.id = request_id(request.headers)
        REQUEST_ID.set(request.id)
        if request.is_v1:
            request.meter = Meter()
        if self._in_flight >= self._most and request.path != VITAL and not request.is_admin:
            return self._finish(request, _refused(request, BusyError("too many requests at once: try again")))
        self._in_flight += 1
        try:
            response = await self._respond(request)
            response = await self._limits.error(request, response)
        except Exception as error:
            response = _refused(request, error)
        finally:
            self._in_flight -= 1
        return self._finish(request, response)

    def _finish(self, request: Request, response: Response) -> Response:
        """Add what every response has, and count it."""
        # A cached response would skip the effect of the next request, or show it to another player.
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers[REQUEST_ID_HEADER] = request.id
        self._callers.hand_out(request, response)
        if not request.is_admin:
            add_rate_limits(request, response)
            add_headers(request, response, self._origins)
        count_request(response.label, response.status)
        return response

    async def _respond(self, request: Request) -> Response:
        label = "unknown"
        try:
            if request.problem is not None:
                raise request.problem
            door = self._admin if request.is_admin else self._public
            route = door.route(request.path)
            if route is None:
                label = door.site.endpoint(request)
                await self._limits.read(request, label)
                response = await door.site(request)
            elif request.method in route.methods:
                label = route.name
                response = await route.handler(request)
            elif request.method == "OPTIONS":
                label = route.name
                response = Response(b"", headers={"Allow": ", ".join(_methods(route))})
            else:
                raise MethodNotAllowed(_methods(route))
        except Exception as error:
            response = _refused(request, error)
        response.label = label
        return response


def _refused(request: Request, error: Exception) -> Response:
    count_refusal(error)
    return error_response(request, error)


def _methods(route: Route) -> list[str]:
    return [*route.methods, "OPTIONS"]
