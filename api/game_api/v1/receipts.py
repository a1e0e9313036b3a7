"""`GET /v1/events/<event id>`: where an event is, as far as that is known."""

import asyncio
from typing import Any

from game_events import COMMON_FIELDS
from game_world.world import World, WorldUnavailableError

from game_api.callers import Callers
from game_api.errors import InvalidRequestError
from game_api.rate_limits import RateLimits
from game_api.replies import Response, json_reply
from game_api.request import Request
from game_api.v1.paths import RECEIPTS
from game_api.v1.table_lookup import TableLookup

_EVENT_ID = next(field for field in COMMON_FIELDS if field.name == "event_id")

_UNKNOWN = (
    "the store knows the places of single requests of version 1 with an Idempotency-Key, for an hour; "
    "the event may be in Kafka all the same"
)

Json = dict[str, Any]


class Receipts:
    """Says of the caller's events with an id where they are in Kafka, by the world's store, and in the table."""

    def __init__(self, world: World | None, callers: Callers, limits: RateLimits, table: TableLookup) -> None:
        self._world = world
        self._callers = callers
        self._limits = limits
        self._table = table

    async def __call__(self, request: Request) -> Response:
        sender, _ = await self._callers.identified(request)
        await self._limits.read(request, "v1_event")
        event_id = request.path.removeprefix(RECEIPTS)
        if not _EVENT_ID.allows(event_id):
            raise InvalidRequestError("event_id", f"expected {_EVENT_ID.expectation}")
        kafka, table = await asyncio.gather(
            self._in_kafka(sender.player, event_id), self._table.find(sender.player, event_id)
        )
        return json_reply({"event_id": event_id, "player": sender.player, "kafka": kafka, "table": table})

    async def _in_kafka(self, player: str, event_id: str) -> Json:
        if self._world is None:
            return {"state": "unknown", "detail": "this service has no world"}
        try:
            places = await self._world.receipts(player, event_id)
        except WorldUnavailableError as error:
            return {"state": "unknown", "detail": str(error)}
        if not places:
            return {"state": "unknown", "detail": _UNKNOWN}
        records = [
            {"event_type": event_type, "partition": partition, "offset": offset}
            for event_type, (partition, offset) in places.items()
        ]
        return {"state": "stored", "records": records}
