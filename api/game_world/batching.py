"""One script of the store, called by many coroutines: what gathers while a call runs, or in one tick, is one call."""

from asyncio import Future, Task, get_running_loop
from hashlib import sha1

from redis.exceptions import NoScriptError, RedisError

from game_world.connection import StoreConnection


class BatchedScript:
    """Calls a script that takes any number of arguments and replies to each, from one event loop."""

    def __init__(self, connection: StoreConnection, text: str) -> None:
        self._connection = connection
        self._text = text
        # It names the script in the protocol, and protects nothing.
        self._sha = sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._waiting: list[tuple[bytes, Future[str]]] = []
        self._running: Task[None] | None = None

    async def call(self, argument: bytes) -> str:
        """Return the script's reply. Raises RedisError."""
        loop = get_running_loop()
        reply: Future[str] = loop.create_future()
        self._waiting.append((argument, reply))
        if self._running is None:
            # The task begins in the next tick, after the calls of this one.
            self._running = loop.create_task(self._run())
        return await reply

    async def _run(self) -> None:
        try:
            while self._waiting:
                calls, self._waiting = self._waiting, []
                await self._answer(calls)
        finally:
            self._running = None

    async def _answer(self, calls: list[tuple[bytes, "Future[str]"]]) -> None:
        try:
            replies = await self._evaluate([argument for argument, _ in calls])
            if len(replies) != len(calls):
                raise RedisError(f"expected {len(calls)} replies, got {len(replies)}")
        except Exception as error:
            # Each waiter raises an error of its own: one error raised by several would collect all their tracebacks.
            for _, reply in calls:
                if not reply.done():
                    reply.set_exception(error if isinstance(error, RedisError) else RedisError(f"no reply: {error!r}"))
        else:
            for (_, reply), one in zip(calls, replies, strict=True):
                if not reply.done():
                    reply.set_result(one)

    async def _evaluate(self, arguments: list[bytes]) -> list[str]:
        try:
            return list(await self._connection.execute("EVALSHA", self._sha, 0, *arguments))
        except NoScriptError:
            return list(await self._connection.execute("EVAL", self._text, 0, *arguments))
