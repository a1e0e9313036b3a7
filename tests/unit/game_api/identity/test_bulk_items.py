"""What a bulk request may say about players and chance."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from game_api.identity.bulk_items import admit
from game_api.identity.caller import ANYONE, PLAYER_SCOPES, Caller
from game_api.identity.errors import ForbiddenError

ADA = Caller("ada", PLAYER_SCOPES)


def test_without_the_scope_chance_is_drawn() -> None:
    """Each event that depends on chance gets a value by the distribution of its type."""
    items: list[dict[str, Any]] = [{"event_type": "purchase_sword"} for _ in range(2000)]
    admit(items, ADA, Random(7))
    drawn = Counter(item["strength"] for item in items)
    assert set(drawn) == set(range(11))
    assert 4.7 < sum(item["strength"] for item in items) / len(items) < 5.3


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"event_type": "purchase_sword", "strength": 10}, "strength"),
        ({"event_type": "purchase_shield", "strength": None}, "strength"),
        ({"event_type": "join_guild", "player": "bob"}, "player"),
        ({"event_type": "join_guild", "player": "ad\u0430"}, "player"),
        ({"event_type": "nothing", "player": ""}, "player"),
    ],
)
def test_without_the_scope_nothing_else_may_be_sent(item: dict[str, Any], field: str) -> None:
    """Another's name and a chosen value of chance are refused by name."""
    with pytest.raises(ForbiddenError, match=f"^{field}: expected .* without the scope players:any") as caught:
        admit([{"event_type": "default"}, item], ADA, Random())
    assert caught.value.field == field


def test_the_callers_own_name_may_be_sent() -> None:
    """Any spelling of the caller's name is theirs."""
    items = [{"event_type": "join_guild", "player": name} for name in ("ada", "Ada", "\uff21da", " ada ")]
    admit(items, ADA, Random())


def test_invalid_items_are_left_to_validation() -> None:
    """What is no event is neither drawn for nor an error here."""
    items: list[Any] = [None, 7, "x", [], {}, {"event_type": []}, {"event_type": "purchase_sword ", "player": 7}]
    before = repr(items)
    admit(items, ADA, Random())
    assert repr(items) == before


def test_with_the_scope_items_stay_as_they_are() -> None:
    """A caller with the scope names any player and sends what was drawn elsewhere; nothing is drawn for them."""
    items = [{"event_type": "purchase_sword", "strength": 10, "player": "bob"}, {"event_type": "purchase_sword"}]
    before = repr(items)
    admit(items, ANYONE, Random())
    assert repr(items) == before
