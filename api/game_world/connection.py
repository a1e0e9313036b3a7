"""A connection to the store in an event loop, for one command at a time."""

from asyncio import Lock
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from game_world.store import TIMEOUT


class StoreConnection:
    """It is opened when it is needed. A client with a pool of connections would cost as much as the command itself."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AbstractConnection | None = None
        self._busy: Lock = Lock()

    async def execute(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 any reply
        """Return the reply to a command, which is sent once. Raises RedisError."""
        async with self._busy:
            connection = await self._ready()
            try:
                await connection.send_command(*command, check_health=False)
                return await connection.read_response()
            except ResponseError:
                raise
            except BaseException:
                # A reply that was left unread would be taken for the next one.
                await connection.disconnect(nowait=True)
                raise

    async def _ready(self) -> AbstractConnection:
        if self._connection is None:
            pool = ConnectionPool.from_url(
                self._url,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                decode_responses=True,
                # A script that ran must not run again only because its reply was lost.
                retry=Retry(NoBackoff(), 0),
            )
            self._connection = pool.make_connection()  # type: ignore[no-untyped-call]
        if self._connection.is_connected and await self._connection.can_read():
            # The store has closed it, such as for a restart.
            await self._connection.disconnect(nowait=True)
        await self._connection.connect()
        return self._connection
