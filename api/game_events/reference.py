"""The reference of all actions in Markdown. `python -m game_events.reference` prints it."""

from game_events.catalog import EVENT_TYPES, FAMILIES
from game_events.event_type import EventType
from game_events.rules import MOST_STAMINA, PRICES, STAMINA_SECONDS, START
from game_events.words import certain, chances, preconditions

_HEAD = f"""# The game

Each action is a POST request and becomes one event; an unconditional one, other than exposures, may also be a GET while
players need no token. A new player has {START["gold"]} gold and {START["health"]} health. If the rules forbid an
action, the response is 409 with the reason, and there is no event. In a contest, the acting player wins if their throw
is at least as high as the other one. Against another player, each side adds its level: 1 at the start, 2 from 100
experience, 3 from 400, 4 from 900, and so on. In a battle, each side also adds its might (1 from 100 power, 2 from 400,
3 from 900, …) and what its gear is worth, however many of an item it has. Power is the strength of all gear that was
paid for.

Most actions take stamina. A rested player has {MOST_STAMINA}, and gets one back every {STAMINA_SECONDS} seconds.

The trader's prices: {", ".join(f"{item} {price}" for item, price in PRICES.items())}. Nothing else is bought.

This page is generated from the catalog, `api/game_events/families`.
"""


def document() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *(_family(name) for name in FAMILIES)])


def _family(name: str) -> str:
    rows = [_row(event_type) for event_type in EVENT_TYPES.values() if event_type.family == name]
    return "\n".join(
        [
            f"## {name.capitalize()}\n",
            "| request | event | preconditions | effects | answers |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(event_type: EventType) -> str:
    parameters = "&".join(f"{parameter.name}=…" for parameter in event_type.parameters)
    cells = [
        f"`{event_type.request}{f'?{parameters}' if parameters else ''}`",
        f"`{event_type.name}`",
        "<br>".join(preconditions(event_type)),
        "<br>".join([*certain(event_type), *chances(event_type)]),
        "<br>".join(f"“{result.answer}”" for result in event_type.results),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(document(), end="")
