"""The reference of all requests, in Markdown: `python -m game_events.reference` prints it."""

from collections.abc import Iterator

from game_events.catalog import EVENT_TYPES, FAMILIES
from game_events.event_type import EventType
from game_events.rules import START, Change, Result, Who

_HEAD = f"""# The game

Every request is a GET or a POST, and becomes one event. A new player has {START["gold"]} gold and {START["health"]}
health. What the rules forbid is answered 409 with the reason, and is no event. Where two throws are compared, the
player wins who has at least as much; against another player, levels are added: one for 100 experience, 400, 900, …
This page is made from the catalog, `api/game_events/families`.
"""

_WHOSE = {Who.PLAYER: "", Who.TARGET: "target's ", Who.GUILD: "guild's "}


def document() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_family(name) for name in FAMILIES)])


def _family(name: str) -> str:
    rows = [_row(event_type) for event_type in EVENT_TYPES.values() if event_type.family == name]
    return "\n".join(
        [
            f"## {name.capitalize()}\n",
            "| request | event | refused unless | what comes of it |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(event_type: EventType) -> str:
    parameters = "&".join(f"{parameter.name}=…" for parameter in event_type.parameters)
    request = f"`{event_type.request}{f'?{parameters}' if parameters else ''}`"
    refusals = "<br>".join(f"not “{need.problem}”" for need in event_type.needs)
    return f"| {request} | `{event_type.name}` | {refusals} | {'<br>'.join(_outcome(event_type))} |"


def _outcome(event_type: EventType) -> Iterator[str]:
    for name, distribution in event_type.draws.items():
        yield f"{name}: {distribution}"
    if contest := event_type.contest:
        yield f"throw: {contest.mine}; against {contest.theirs}"
        yield f"won: {_result(event_type.result)}"
        yield f"lost: {_result(contest.lost)}"
    else:
        yield _result(event_type.result)


def _result(result: Result) -> str:
    said = [f"“{result.answer}”", *(_change(change) for change in result.changes)]
    said += [f"{item} {number:+d}" for item, number in result.items.items()]
    if result.loot:
        said.append(f"finds {result.loot}")
    if result.gift:
        said.append(f"target's {result.gift} +1")
    return "; ".join(said)


def _change(change: Change) -> str:
    amount = f"{change.amount:+d}" if isinstance(change.amount, int) else f"{change.amount}"
    return f"{_WHOSE[change.who]}{change.attribute} {amount}"


if __name__ == "__main__":
    print(document(), end="")
