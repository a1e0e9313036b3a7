"""Purchases: gear of random strength. The first three items are free."""

from game_events.chance import Normal
from game_events.event_type import STRENGTH, EventType
from game_events.rules import ALIVE, Result, costs, gain

_STRENGTH = {"strength": Normal(5, 4, 0, 10)}


def _for_free(name: str, request: str, answer: str, description: str) -> EventType:
    result = Result(answer, items={name.removeprefix("purchase_"): 1})
    return EventType(name, "purchases", request, result, (STRENGTH,), description, _STRENGTH)


def _for_gold(item: str, article: str, price: int, description: str) -> EventType:
    return EventType(
        f"purchase_{item}",
        "purchases",
        f"/purchase_{article}_{item}",
        Result(f"You bought {article} {item} of strength {{strength}}.", (gain("gold", -price),), {item: 1}),
        (STRENGTH,),
        description,
        _STRENGTH,
        preconditions=(ALIVE, costs(price, f"{article} {item}")),
    )


EVENT_TYPES = (
    _for_free("purchase_sword", "/purchase_a_sword", "Sword Purchased!", "large sword"),
    _for_free("purchase_axe", "/purchase_an_axe", "Axe Purchased!", "battle axe"),
    _for_free("purchase_shield", "/purchase_a_shield", "Shield Purchased!", "round shield"),
    _for_gold("bow", "a", 15, "yew longbow"),
    _for_gold("helmet", "a", 10, "horned helmet"),
    _for_gold("potion", "a", 5, "bubbling potion"),
    _for_gold("horse", "a", 40, "dappled horse"),
    _for_gold("castle", "a", 500, "castle with a moat"),
)
