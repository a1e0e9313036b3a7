"""The store's scripts as the API's event loop calls them."""

from collections.abc import Sequence
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from game_world.batching import BatchedScript
from game_world.store import TIMEOUT, Store, Unconfirmed, filled, script_text

Json = dict[str, Any]


class StoreCalls:
    """The scripts that requests of players need; every method raises RedisError. Survives a fork before its first use."""

    def __init__(self, store: Store) -> None:
        self._url = store.url
        self._redis: Redis | None = None
        self._decide = BatchedScript(self._client, script_text("decide"))

    def _client(self) -> Redis:
        # Made in the event loop that uses it. Its pool checks a connection before it hands it out: the store may have
        # been restarted.
        if self._redis is None:
            self._redis = Redis.from_url(
                self._url,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                decode_responses=True,
                encoding_errors="backslashreplace",
                # A script that ran must not run again only because its reply was lost.
                retry=Retry(NoBackoff(), 0),
            )
        return self._redis

    async def decide(self, command: Json) -> Json:
        """Decide a command, or only its limits if it has no name."""
        reply = await self._decide.call(orjson.dumps(command))
        return dict(orjson.loads(reply)) if reply else {}

    async def revert(self, names: Sequence[str]) -> bool:
        """Revert pending events that no other request wrote; return whether all were."""
        return not await self._call("revert", ["own", *names])

    async def note_unconfirmed(self, events: Sequence[Unconfirmed]) -> None:
        """Note events that may be in the topic although no response said so."""
        await self._call("note_unconfirmed", [orjson.dumps(filled(event)) for event in events])

    async def are_unconfirmed(self, onces: Sequence[str]) -> list[bool]:
        """Return for each event, by what it is counted once by, whether a record of it may be in the topic."""
        return [found == 1 for found in await self._call("find_unconfirmed", onces)]

    async def _call(self, script: str, arguments: Sequence[str | bytes]) -> Any:  # noqa: ANN401 the script's reply
        # Seldom needed: not worth the hashing and the second try that EVALSHA takes.
        return await self._client().eval(script_text(script), 0, *arguments)  # type: ignore[arg-type] any encodable
