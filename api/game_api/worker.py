"""gunicorn's threaded worker, whose threads stay a moment with a client that keeps asking."""

from select import POLLIN, poll
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

STAY_MS = 50
"""How long a thread waits for its client's next request."""


class StayingWorker(ThreadWorker):  # type: ignore[misc]
    """Saves handing the connection to the main thread and back between two requests: a quarter of a request's cost."""

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 gunicorn has no types
        answered = super().handle(conn)
        while answered is True and self._asks_again(conn):
            answered = super().handle(conn)
        return answered

    def _asks_again(self, conn: Any) -> bool:  # noqa: ANN401
        with_threads = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        # No connection may wait for a thread that waits for its client. The rest is the main thread's business: what a
        # stopping worker does with its connections, and with a request that was read along with the last one.
        if with_threads > self.cfg.threads or not self.alive or conn.parser.unreader.buf.getvalue():
            return False
        waiter = poll()
        waiter.register(conn.sock, POLLIN)
        return bool(waiter.poll(STAY_MS))
