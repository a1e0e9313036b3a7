"""What a bulk request may say: only a caller with the scope `players:any` names other players, or chooses chance."""

from collections.abc import Sequence
from random import Random
from typing import Any

from game_events import EVENT_TYPES
from game_events.names import normal

from game_api.identity.caller import PLAYERS_ANY, Caller
from game_api.identity.errors import ForbiddenError

_DRAWS = {name: event_type.draws for name, event_type in EVENT_TYPES.items() if event_type.draws}


def admit(items: Sequence[Any], caller: Caller, random: Random) -> None:
    """Draw the chance of each item; raise ForbiddenError if an item says what its sender may not.

    Items of a caller with the scope `players:any` stay as they are. Invalid items are left to validation.
    """
    if PLAYERS_ANY in caller.scopes:
        return
    for item in items:
        if type(item) is dict:
            _check_player(item, caller)
            _draw(item, random)


def _check_player(item: dict[str, Any], caller: Caller) -> None:
    player = item.get("player")
    if type(player) is str and normal(player) != caller.player:
        raise ForbiddenError("player", f"expected the caller's own name, or none, without the scope {PLAYERS_ANY}")


def _draw(item: dict[str, Any], random: Random) -> None:
    event_type = item.get("event_type")
    for name, distribution in _DRAWS.get(event_type, {}).items() if type(event_type) is str else ():
        if name in item:
            raise ForbiddenError(name, f"expected none without the scope {PLAYERS_ANY}: it is drawn by the service")
        item[name] = distribution.draw(random)
