"""The reference of all requests, in Markdown: `python -m game_events.reference` prints it."""

from game_events.catalog import EVENT_TYPES, FAMILIES
from game_events.event_type import EventType
from game_events.rules import START
from game_events.words import certain, chances, needs

_HEAD = f"""# The game

Every request is a GET or a POST, and becomes one event. A new player has {START["gold"]} gold and {START["health"]}
health. What the rules forbid is answered 409 with the reason, and is no event. Where two throws are compared, the
player wins who has at least as much; against another player, levels are added: one for 100 experience, 400, 900, …
This page is made from the catalog, `api/game_events/families`.
"""


def document() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_family(name) for name in FAMILIES)])


def _family(name: str) -> str:
    rows = [_row(event_type) for event_type in EVENT_TYPES.values() if event_type.family == name]
    return "\n".join(
        [
            f"## {name.capitalize()}\n",
            "| request | event | needs | brings | answers |",
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
        "<br>".join(needs(event_type)),
        "<br>".join([*certain(event_type), *chances(event_type)]),
        "<br>".join(f"“{result.answer}”" for result in event_type.results),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(document(), end="")
