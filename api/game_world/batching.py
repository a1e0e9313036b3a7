"""One script of the store, called by many threads: whichever thread has the connection calls it for all that wait."""

from collections import deque
from threading import Lock
from time import monotonic

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError, RedisError

_IDLE = 0.2
"""Seconds after which a connection is checked before it is used: the store may have been restarted."""


class _Call:
    __slots__ = ("argument", "error", "reply")

    def __init__(self, argument: bytes) -> None:
        self.argument = argument
        self.reply: str | None = None
        self.error: RedisError | None = None


class BatchedScript:
    """Calls a script that takes any number of arguments and replies to each. Survives a fork before its first call."""

    def __init__(self, redis: Redis, script: Script) -> None:
        self._redis = redis
        self._script = script
        self._running = Lock()
        self._waiting: deque[_Call] = deque()
        self._client: Redis | None = None
        self._used = 0.0

    def call(self, argument: bytes) -> str:
        """Return the script's reply. Raises RedisError."""
        call = _Call(argument)
        self._waiting.append(call)
        with self._running:
            # The thread that ran before may have made this call, too.
            if call.reply is None and call.error is None:
                self._run(self._take_waiting())
        if call.error:
            raise call.error
        assert call.reply is not None  # noqa: S101 for the type checker
        return call.reply

    def _take_waiting(self) -> list[_Call]:
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _run(self, calls: list[_Call]) -> None:
        try:
            replies = self._evaluate([call.argument for call in calls])
        except Exception as error:
            # No thread would run the calls that arrived meanwhile.
            for call in [*calls, *self._take_waiting()]:
                call.error = error if isinstance(error, RedisError) else RedisError(f"unreadable reply: {error!r}")
        else:
            for call, reply in zip(calls, replies, strict=True):
                call.reply = reply

    def _evaluate(self, arguments: list[bytes]) -> list[str]:
        client = self._connected()
        try:
            return list(client.evalsha(self._script.sha, 0, *arguments))
        except NoScriptError:
            return list(self._script(args=arguments, client=client))
        except Exception:
            # A reply that was left unread would be taken for the next one.
            self._drop()
            raise

    def _connected(self) -> Redis:
        """Return a client that keeps its connection: taking one from the pool costs as much as the call itself."""
        now = monotonic()
        if now - self._used > _IDLE:
            # The pool checks each connection that it hands out.
            self._drop()
        self._used = now
        if self._client is None:
            self._client = self._redis.client()  # type: ignore[no-untyped-call]
        return self._client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
