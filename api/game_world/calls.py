"""The store's scripts as the API's event loop calls them."""

from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from game_world.batching import BatchedScript
from game_world.connection import StoreConnection
from game_world.store import Store, Unconfirmed, filled, key, script_text

Json = dict[str, Any]


class Calls(Protocol):
    """What a world asks of where its state is kept."""

    async def decide(self, command: Json) -> Json:
        """Decide a command, or only its limits if it has no name."""

    async def note_receipt(self, once: str, partition: int, offset: int) -> None:
        """Note where an event is in the topic."""

    async def receipts(self, onces: Sequence[str]) -> list[tuple[int, int] | None]:
        """Return where each event is in the topic, by what it is counted once by; None if that is not known."""

    async def revert(self, names: Sequence[str]) -> bool:
        """Revert pending events that no other request wrote; return whether all were."""

    async def note_unconfirmed(self, events: Sequence[Unconfirmed]) -> None:
        """Note events that may be in the topic although no response said so."""

    async def are_unconfirmed(self, onces: Sequence[str]) -> list[bool]:
        """Return for each event, by what it is counted once by, whether a record of it may be in the topic."""

    async def claim_name(self, player: str, seconds: int) -> str:
        """Claim a name: return the time in milliseconds, `taken`, or `full` if there is no memory for new names."""

    async def confirm_name(self, player: str, claimed_at: int, seconds: int) -> bool:
        """Keep the claim of a name for so long, or make it again; return False if an earlier one holds."""


class StoreCalls(Calls):
    """The scripts for requests of players; every method raises RedisError. Survives a fork before its first use."""

    def __init__(self, store: Store) -> None:
        self._decide = BatchedScript(StoreConnection(store.url), script_text("decide"))
        self._note = BatchedScript(StoreConnection(store.url), script_text("note_receipts"))
        self._seldom = StoreConnection(store.url)

    async def decide(self, command: Json) -> Json:
        reply = await self._decide.call(orjson.dumps(command))
        return dict(orjson.loads(reply)) if reply else {}

    async def note_receipt(self, once: str, partition: int, offset: int) -> None:
        await self._note.call(f"{once} {partition}:{offset}".encode())

    async def receipts(self, onces: Sequence[str]) -> list[tuple[int, int] | None]:
        places = await self._seldom.execute("MGET", *(key(f"receipt:{once}") for once in onces))
        return [(int(place.split(":")[0]), int(place.split(":")[1])) if place else None for place in places]

    async def revert(self, names: Sequence[str]) -> bool:
        return not await self._call("revert", ["own", *names])

    async def note_unconfirmed(self, events: Sequence[Unconfirmed]) -> None:
        await self._call("note_unconfirmed", [orjson.dumps(filled(event)) for event in events])

    async def are_unconfirmed(self, onces: Sequence[str]) -> list[bool]:
        return [found == 1 for found in await self._call("find_unconfirmed", onces)]

    async def claim_name(self, player: str, seconds: int) -> str:
        return str(await self._call("claim_name", [player, seconds]))

    async def confirm_name(self, player: str, claimed_at: int, seconds: int) -> bool:
        return bool(await self._call("confirm_name", [player, claimed_at, seconds]))

    async def _call(self, script: str, arguments: Sequence[str | bytes | int]) -> Any:  # noqa: ANN401 the script's reply
        # Seldom needed: not worth the second try that EVALSHA takes.
        return await self._seldom.execute("EVAL", script_text(script), 0, *arguments)
