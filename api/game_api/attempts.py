"""Outcomes across attempts: even if Kafka refused an event, an earlier attempt may be in the topic."""

from collections.abc import Mapping, Sequence
from typing import Any

from game_world.world import World

from game_api.log.event_log import Outcome, Receipt

Event = Mapping[str, Any]


async def client_receipts(world: World | None, events: Sequence[Event], receipts: Sequence[Receipt]) -> list[Receipt]:
    """Return receipts that describe the events rather than this attempt to write them.

    If Kafka refused an event with a client's key, its outcome is refused only if the store knows of no earlier attempt
    that may be in the topic. Otherwise, and if the store is unavailable, it is unknown.
    """
    results = list(receipts)
    refused = [
        index
        for index, (event, receipt) in enumerate(zip(events, receipts, strict=True))
        if receipt.outcome is Outcome.REFUSED and event.get("idempotent")
    ]
    if refused:
        may_be_written = [True] * len(refused)
        if world:
            may_be_written = await world.may_be_written([events[index] for index in refused])
        for index, is_unconfirmed in zip(refused, may_be_written, strict=True):
            if is_unconfirmed:
                results[index] = receipts[index]._replace(outcome=Outcome.UNKNOWN)
    return results
