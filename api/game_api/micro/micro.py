"""The test double: the service, and paths below /micro by which a test sees and directs it."""

import json
from collections.abc import Awaitable, Callable
from random import Random

from game_events import COMMON_FIELDS, EVENT_TYPES
from game_events.codec import without_repeats
from game_events.names import normal
from game_events.rules import STAMINA_SECONDS
from game_world.claims import Claims
from game_world.limits import Limit
from game_world.memory.world import MemoryWorld
from werkzeug.exceptions import MethodNotAllowed, NotFound

from game_api import create_app
from game_api.bodies import body
from game_api.cors import add_headers
from game_api.errors import InvalidRequestError, error_response
from game_api.identity.identity import Identity
from game_api.micro.faults import Faults, fault_of
from game_api.micro.memory_log import MemoryLog
from game_api.micro.refusals import Refusals
from game_api.parameters import pairs
from game_api.replies import Response, json_reply
from game_api.request import Request
from game_api.settings import Settings

_PATH = "/micro/"
_PLAYER = next(field for field in COMMON_FIELDS if field.name == "player")


class Micro:
    """Answers requests as the service of these settings does whose Kafka and world work, unless a fault was asked for.

    There is no Trino.
    """

    def __init__(
        self, settings: Settings, stamina_seconds: int = STAMINA_SECONDS, random: Random | None = None
    ) -> None:
        self._faults = Faults()
        self._world = MemoryWorld(
            Limit(settings.player_rate, settings.player_burst),
            Limit(settings.address_rate, settings.address_burst),
            stamina_seconds,
            self._faults.delay,
        )
        self._log = MemoryLog(self._world, self._faults)
        self._refusals = Refusals()
        self._origins = settings.allowed_origins
        self._service = create_app(
            self._log,
            self._world,
            random,
            cors_origins=self._origins,
            threads=settings.threads,
            most_requests=settings.most_requests,
            identity=Identity(settings.identity, Claims(self._world, settings.identity.claims_per_hour)),
        )
        self._service.identity.start()
        self._paths: dict[str, tuple[tuple[str, ...], Callable[[Request], Response]]] = {
            f"{_PATH}good": (("GET", "HEAD"), self._good),
            f"{_PATH}bad": (("GET", "HEAD"), self._bad),
            f"{_PATH}fail": (("POST",), self._fail),
            f"{_PATH}reset": (("POST", "GET"), self._reset),
        }

    def __call__(self, request: Request) -> Awaitable[Response]:
        return self._direct(request) if request.path.startswith(_PATH) else self._serve(request)

    async def _serve(self, request: Request) -> Response:
        response = await self._service(request)
        self._refusals.note(request, response)
        return response

    async def _direct(self, request: Request) -> Response:
        try:
            response = self._answer(request)
        except Exception as error:
            response = error_response(request, error)
        response.headers.setdefault("Cache-Control", "no-store")
        add_headers(request, response, self._origins)
        return response

    def _answer(self, request: Request) -> Response:
        if request.problem is not None:
            raise request.problem
        path = request.path.removesuffix("/")
        if path not in self._paths:
            raise NotFound(f"expected one of {', '.join(self._paths)}")
        methods, answer = self._paths[path]
        if request.method == "OPTIONS":
            return Response(b"", headers={"Allow": ", ".join(methods)})
        if request.method not in methods:
            raise MethodNotAllowed(methods)
        return answer(request)

    def _good(self, request: Request) -> Response:
        wanted = _filters(request)
        events = [event for event in self._log.events() if wanted.items() <= event.items()]
        counts = {"count": len(events), "records": self._log.written, "dropped": self._log.dropped}
        return json_reply({**counts, "events": events})

    def _bad(self, request: Request) -> Response:
        refused = self._refusals.kept
        return json_reply({"count": len(refused), "dropped": self._refusals.dropped, "refused": refused})

    def _fail(self, request: Request) -> Response:
        try:
            members = json.loads(body(request).decode(), object_pairs_hook=without_repeats)
        except (ValueError, RecursionError) as error:
            raise InvalidRequestError("body", f"is not JSON: {error}") from None
        self._faults.add(fault_of(members))
        return json_reply({"failing": self._faults.left})

    def _reset(self, request: Request) -> Response:
        self._log.clear()
        self._refusals.clear()
        self._faults.clear()
        self._world.reset()
        return json_reply({"reset": True})


def _filters(request: Request) -> dict[str, str]:
    """Return the fields that an event must have, by the query."""
    wanted: dict[str, str] = {}
    for name, value in pairs(request.query):
        if name in wanted:
            raise InvalidRequestError(name, "expected once, got it twice")
        if name == "event_type":
            if value not in EVENT_TYPES:
                raise InvalidRequestError(name, "expected an event type")
        elif name == "player":
            if not _PLAYER.allows(value):
                raise InvalidRequestError(name, f"expected {_PLAYER.expectation}")
            value = normal(value)
        else:
            raise InvalidRequestError(name[:100], "expected one of event_type, player")
        wanted[name] = value
    return wanted
