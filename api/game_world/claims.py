"""Claims of names: the first one who uses a name has it. They are kept in the world's store, but not in the topic.

A store that loses them gets them back from the tokens that state them (confirm_name.lua).
"""

from game_world.limits import Bucket, client
from game_world.world import World, WorldUnavailableError

FIRST_SECONDS = 24 * 3600
"""A name whose claim was never confirmed is free again after so long."""


class Claims:
    def __init__(self, world: World, per_hour: int) -> None:
        self._world = world
        self._per_hour = per_hour

    async def claim(self, player: str, address: str) -> int | None:
        """Claim a name: return the time of the claim in milliseconds, or None if the name is taken.

        Raises LimitedError and WorldUnavailableError.
        """
        if self._per_hour:
            name = f"limit:address:claims:{client(address)}"
            await self._world.take([Bucket(name, 3_600_000_000 // self._per_hour, self._per_hour)])
        reply = await self._world.call(lambda calls: calls.claim_name(player, FIRST_SECONDS))
        if reply == "full":
            raise WorldUnavailableError("the world is full: it takes no new players for now")
        return None if reply == "taken" else int(reply)

    async def confirm(self, player: str, claimed_at: int, seconds: int) -> bool:
        """Keep a claim for so long; return False if an earlier one holds, but not because the store is unavailable."""
        try:
            return await self._world.call(lambda calls: calls.confirm_name(player, claimed_at, seconds))
        except WorldUnavailableError:
            return True
