"""What all connections of a worker share: the service, the limits, and the clock of their deadlines."""

from asyncio import AbstractEventLoop, Task
from collections.abc import Mapping
from time import monotonic

from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from werkzeug.http import parse_list_header

from game_api.door import Handler
from game_api.front.access_log import log_access
from game_api.front.connection import Connection
from game_api.request import Request
from game_api.settings import Settings

_SWEEP_SECONDS = 0.25
"""How often connections are searched for deadlines that have passed."""


class Front:
    """`connections` are the open ones, `body_bytes` those of requests' bodies in memory."""

    def __init__(
        self, service: Handler, cfg: Config, settings: Settings, loop: AbstractEventLoop, log: Logger | None = None
    ) -> None:
        self.cfg = cfg
        self.header_seconds = settings.header_timeout_seconds
        self.body_seconds = settings.body_timeout_seconds
        self.keepalive_seconds = settings.keepalive_seconds
        self.most_body_bytes = 1024 * settings.most_body_kbytes
        self.body_bytes = 0
        self.connections: set[Connection] = set()
        self.is_open = True
        self._service = service
        self._proxies = settings.trusted_proxies
        self._loop = loop
        self._log = log if log and log.access_log_enabled else None
        self._tasks: set[Task[None]] = set()
        self._sweep()

    def address_of(self, headers: Mapping[str, str], peer: str) -> str:
        """Return the client's address: the peer's, or what the trusted proxies say."""
        return self._forwarded(headers, "x-forwarded-for") or peer

    def is_https(self, headers: Mapping[str, str], is_encrypted: bool) -> bool:
        """Tell whether the client uses https, as the connection does or as the trusted proxies say."""
        scheme = self._forwarded(headers, "x-forwarded-proto")
        return scheme.lower() == "https" if scheme else is_encrypted

    def _forwarded(self, headers: Mapping[str, str], name: str) -> str:
        """Return what the outermost trusted proxy has added to a header, or ""."""
        if self._proxies and (forwarded := headers.get(name)):
            named = parse_list_header(forwarded)
            if len(named) >= self._proxies:
                return named[-self._proxies]
        return ""

    def answer(self, connection: Connection, request: Request, keeps_alive: bool) -> None:
        """Let the service answer the request; its response is written to the connection."""
        task = self._loop.create_task(self._answer(connection, request, keeps_alive))
        # The loop itself keeps tasks only weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: Connection, request: Request, keeps_alive: bool) -> None:
        response = await self._service(request)
        connection.respond(request, response, keeps_alive)
        if self._log:
            log_access(self._log, request, response)

    def lose(self, connection: Connection) -> None:
        self.connections.discard(connection)

    def stop(self) -> None:
        """Answer the requests that have begun, and close all connections."""
        self.is_open = False
        for connection in list(self.connections):
            connection.stop()

    def _sweep(self) -> None:
        self._loop.call_later(_SWEEP_SECONDS, self._sweep)
        now = monotonic()
        for connection in [one for one in self.connections if one.deadline <= now]:
            connection.expire()

    @property
    def is_idle(self) -> bool:
        """Whether no connection is open and no request is being answered."""
        return not self.connections and not self._tasks
