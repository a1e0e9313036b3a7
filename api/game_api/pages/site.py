"""The pages and documents of a port: a Flask application, in threads of its own.

Nothing that it waits for, such as Trino, delays the game or the pages of another port.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from flask import Flask
from flask import Response as FlaskResponse
from game_trino.settings import TrinoSettings
from game_world.world import World, WorldUnavailableError
from werkzeug.exceptions import HTTPException

from game_api.errors import BusyError, InvalidRequestError
from game_api.identity.errors import ForbiddenError
from game_api.pages.dashboard import add_dashboard
from game_api.pages.documents import add_description, add_metrics
from game_api.pages.play import add_game_pages
from game_api.replies import Response
from game_api.request import Request

T = TypeVar("T")

THREADS = 4
_MOST_WAITING = 64
"""Requests for each thread that wait or are answered: more are refused at once."""
_KEPT = frozenset({"content-type", "content-length"})
"""Headers that a transport writes."""


class Site:
    """Survives a fork before its first use."""

    def __init__(self, app: Flask, threads: int = THREADS) -> None:
        self._app = app
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._waiting = 0

    def endpoint(self, request: Request) -> str:
        """Return the name of what a request is for; raise an HTTPException if there is nothing."""
        adapter = self._app.url_map.bind("localhost")
        endpoint, _ = adapter.match(request.path, request.method)
        return str(endpoint)

    async def __call__(self, request: Request) -> Response:
        return await self.run(lambda: self._answer(request))

    async def run(self, work: Callable[[], T]) -> T:
        """Do work that may wait in a thread; raise BusyError if too many wait."""
        if self._waiting >= _MOST_WAITING * self._threads:
            raise BusyError("too many requests for pages: try again")
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "site")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, work)
        finally:
            self._waiting -= 1

    def _answer(self, request: Request) -> Response:
        with self._app.request_context(_environ(request)):
            answer = self._app.full_dispatch_request()
            # Files would be passed to the WSGI server unread.
            answer.direct_passthrough = False
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in _KEPT}
            return Response(answer.get_data(), answer.status_code, answer.content_type or "", headers)


def players_pages(world: World | None, mode: str) -> Flask:
    """Return the application for players and their programs."""
    app = _application()
    add_description(app, mode)
    add_game_pages(app, world, mode)
    return app


def operators_pages(world: World | None, trino: TrinoSettings) -> Flask:
    """Return the application for the admin port."""
    app = _application()
    add_metrics(app)
    add_dashboard(app, trino, world.store.positions if world else None)
    return app


def _application() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    # Ignore a trailing slash instead of redirecting: beacons and many simple clients do not follow redirects.
    app.url_map.strict_slashes = False
    for kind in (HTTPException, InvalidRequestError, ForbiddenError, WorldUnavailableError):
        app.register_error_handler(kind, _raise)
    # The service answers and logs all errors.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app


def _raise(error: Exception) -> FlaskResponse:
    raise error


def _environ(request: Request) -> dict[str, Any]:
    """Return the WSGI environment of a request without its body: no page reads one."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if request.is_https else "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name not in _KEPT:
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ
