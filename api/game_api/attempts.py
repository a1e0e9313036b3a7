"""What a client is told of events that Kafka did not acknowledge: an earlier attempt may be in the topic."""

from collections.abc import Mapping, Sequence
from typing import Any

from game_world.world import World

from game_api.log.event_log import Outcome, Receipt

Event = Mapping[str, Any]


def settled(world: World | None, events: Sequence[Event], receipts: Sequence[Receipt]) -> list[Receipt]:
    """Return the receipts as the client may read them, of the events and not of these attempts.

    An event under a client's key that Kafka surely did not take is refused only if the store knows of no earlier
    attempt that may be in the topic; else, and if the store cannot be asked, it is unknown.
    """
    settled = list(receipts)
    refused = [
        index
        for index, (event, receipt) in enumerate(zip(events, receipts, strict=True))
        if receipt.outcome is Outcome.REFUSED and event.get("idempotent")
    ]
    if refused:
        may_be = world.may_be_written([events[index] for index in refused]) if world else [True] * len(refused)
        for index, is_doubted in zip(refused, may_be, strict=True):
            if is_doubted:
                settled[index] = receipts[index]._replace(outcome=Outcome.UNKNOWN)
    return settled
