"""The questions of the benchmark: what a data team asks of the views, in the SQL of each layout."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from testbed.simulator.scenario import QUERIES

FAMILIES = ("purchases", "joins", "declarations", "visits")
"""The families that the questions read, besides the rejected records."""
VIEWS = (*FAMILIES, "rejected_events")
DAYS = 2
"""The days that the rows spread over."""


@dataclass(frozen=True)
class Dialect:
    """How a layout is asked for the hour, the day and an integer of a column, and how it writes a moment."""

    hour: str
    day: str
    integer: str
    moment: str


TYPED = Dialect(
    "date_trunc('hour', timestamp)", "cast(timestamp AS date)", "{}", "cast('{} UTC' AS timestamp with time zone)"
)
"""For Trino and DuckDB."""

# With text columns, a prefix is the cheapest way to get the hour, and text is the cheapest to compare.
TEXT = Dialect("substr(timestamp, 1, 13)", "substr(timestamp, 1, 10)", "cast({} AS bigint)", "'{}'")

_EVERYTHING = " UNION ALL ".join(f"SELECT timestamp, event_type, player FROM {family}" for family in FAMILIES)
_REJECTED = " UNION ALL ".join(
    f"SELECT timestamp, {int(view not in FAMILIES)} AS rejected FROM {view}" for view in VIEWS
)

_QUESTIONS = {
    "average strength of all purchases": QUERIES[-1],
    "events per hour and type": f"SELECT {{hour}}, event_type, count(*) FROM ({_EVERYTHING}) AS e GROUP BY 1, 2",
    "purchases of one hour, by type": "SELECT event_type, count(*) FROM purchases WHERE {one_hour} GROUP BY 1",
    "gold spent in one day, by type": (
        "SELECT event_type, count(*), sum({gold}) FROM purchases WHERE {first_day} GROUP BY 1"
    ),
    "active players per day": f"SELECT {{day}}, count(DISTINCT player) FROM ({_EVERYTHING}) AS e GROUP BY 1",
    "retention: visitors who are back on the next day": (
        "SELECT count(*), count(back.player) FROM (SELECT DISTINCT player FROM visits WHERE {first_day}) AS came "
        "LEFT JOIN (SELECT DISTINCT player FROM visits WHERE {second_day}) AS back ON came.player = back.player"
    ),
    "what the members of each guild bought": (
        "SELECT joined, count(*), sum({gold}) FROM purchases INNER JOIN (SELECT player AS member, max(guild) AS joined "
        "FROM joins GROUP BY player) AS members ON player = member GROUP BY joined"
    ),
    "history of one player": f"SELECT * FROM ({_EVERYTHING}) AS e WHERE player = '{{player}}' ORDER BY timestamp",
    "items that sold most": (
        "SELECT event_type, {strength}, count(*) FROM purchases GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10"
    ),
    "share of rejected records per day": (
        f"SELECT {{day}}, cast(sum(rejected) AS double) / count(*) FROM ({_REJECTED}) AS e GROUP BY 1"
    ),
}

NAMES = tuple(_QUESTIONS)


def questions(dialect: Dialect, first: date, player: str) -> Mapping[str, str]:
    """Return the SQL of each question by its name, for rows of DAYS days from `first`; `player` is one of theirs."""
    moments = dict(_ranges(dialect, first))
    integers = {name: dialect.integer.format(name) for name in ("gold", "strength")}
    given = {"hour": dialect.hour, "day": dialect.day, "player": player, **integers, **moments}
    return {name: sql.format(**given) for name, sql in _QUESTIONS.items()}


def _ranges(dialect: Dialect, first: date) -> Iterator[tuple[str, str]]:
    second, third = (first + timedelta(days=days) for days in (1, 2))
    for name, begin, end in (
        ("one_hour", f"{first} 10:00:00", f"{first} 11:00:00"),
        ("first_day", f"{first} 00:00:00", f"{second} 00:00:00"),
        ("second_day", f"{second} 00:00:00", f"{third} 00:00:00"),
    ):
        yield name, f"timestamp >= {dialect.moment.format(begin)} AND timestamp < {dialect.moment.format(end)}"
