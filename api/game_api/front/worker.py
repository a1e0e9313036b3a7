"""gunicorn's worker with an event loop, and the project's own protocol in it.

gunicorn 27.0.1's own protocol loses requests: it writes a response before it has made its parser ready for the next
request. What arrives in between, it keeps, but the parser in C (gunicorn_h1c) only up to 64 KB: then the connection is
closed without an answer. Neither has that protocol deadlines for headers and bodies.
"""

import asyncio
import errno
import os
import signal
import socket
from functools import partial
from typing import Any

from gunicorn.workers.base import Worker  # type: ignore[import-untyped]
from gunicorn.workers.gasgi import ASGIWorker  # type: ignore[import-untyped]

from game_api.front.connection import Connection
from game_api.front.front import Front
from game_api.settings import Settings

_TICK_SECONDS = 0.25
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class LoopWorker(ASGIWorker):  # type: ignore[misc]
    """Serves game_api's Service. gunicorn.conf.py sets `settings` before the worker runs."""

    settings: Settings

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 gunicorn has no types
        super().__init__(*args, **kwargs)
        self._front: Front
        self._accepts = False

    def init_signals(self) -> None:
        # uvloop ignores signals until it runs: a worker that was still starting would not stop.
        Worker.init_signals(self)
        _release_stop_signals()

    async def _serve(self) -> None:
        super().init_signals()
        self._front = Front(self.asgi, self.cfg, self.settings, self.loop, self.log)
        ssl = self._get_ssl_context()
        try:
            while self.alive and self.ppid == os.getppid():
                self.notify()
                self._accept_or_wait(ssl)
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            self._stop_accepting()
        self._front.stop()
        deadline = self.loop.time() + self.cfg.graceful_timeout
        while not (self._front.is_idle or self._quick_shutdown) and self.loop.time() < deadline:
            self.notify()
            await asyncio.sleep(0.02)

    def _accept_or_wait(self, ssl: Any) -> None:  # noqa: ANN401
        """Accept connections while there is room for them; others wait in the listener's queue."""
        if self._accepts or len(self._front.connections) >= self.worker_connections:
            return
        for number, listener in enumerate(self.sockets):
            listener.sock.setblocking(False)
            self.loop.add_reader(listener.sock, self._accept, listener.sock, self._is_admin(number), ssl)
        self._accepts = True

    def _is_admin(self, number: int) -> bool:
        """Tell whether the listener of this number is the admin port: not if others than the settings' were asked for.

        gunicorn opens listeners in the order of its configuration, and keeps it when it is replaced.
        """
        return self.cfg.bind == self.settings.binds and number == len(self.settings.binds) - 1

    def _stop_accepting(self) -> None:
        for listener in self.sockets if self._accepts else ():
            self.loop.remove_reader(listener.sock)
        self._accepts = False

    def _accept(self, listener: socket.socket, is_admin: bool, ssl: Any) -> None:  # noqa: ANN401
        # One at a time: another worker, which may be idle, gets the next.
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self.log.warning("no connection can be accepted for now: %s", error)
            self._stop_accepting()
            return
        client.setblocking(False)
        made = self.loop.create_task(
            self.loop.connect_accepted_socket(partial(Connection, self._front, is_admin), client, ssl=ssl)
        )
        made.add_done_callback(_retrieve)
        if len(self._front.connections) >= self.worker_connections:
            self._stop_accepting()


def hold_stop_signals_during_forks() -> None:
    """Deliver signals to a new worker only when it has its own handlers: gunicorn's, inherited, would lose them."""
    os.register_at_fork(before=_hold_stop_signals, after_in_parent=_release_stop_signals)
    # gunicorn started by SIGUSR2 inherits what was held when it was forked.
    _release_stop_signals()


def _hold_stop_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)


def _release_stop_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


def _retrieve(made: "asyncio.Task[Any]") -> None:
    """Take a task's error, which is the client's: it has gone, or its TLS handshake failed."""
    if not made.cancelled():
        made.exception()
