"""The rollups of the table `events`: what the dashboard shows, added up, as SQL that Spark, Trino and DuckDB accept.

The table `rollups` has them of each day, and under no day those of all days together. They are of the rows that are
decided and count (see `game_events.once`), as of the snapshot of `events` that the summary of its own snapshot names.
Before the next commit for which `is_change`, no row of `events` is decided, and no decided row changes: so each event
is in the rollups or among the undecided rows, and not in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from game_events.catalog import ERASED, EVENT_TYPES, REJECTED
from game_events.context import OCCURRED_AT
from game_events.once import counted, undecided

EVENTS_SNAPSHOT = "gamelake.events-snapshot"
"""In the summary of a snapshot of `rollups`: the snapshot of `events` whose decided rows it has."""
BASE = "gamelake.rollups-base"
"""In the same summary: the snapshot of `rollups` that its writer knew, unless there was none. Where that is not the
parent, another writer was faster, and what the summary says may be wrong."""
REJECTED_SINCE = "gamelake.rejected-since"
"""In the same summary: when the oldest of the newest MAX_REJECTED rejected records that are decided may have been
received, as an SQL literal of a timestamp; missing if there are none."""
LAST_RECORDS = "gamelake.last-records"
"""In the summary of a snapshot of `events`: the last record of each partition that its writer knew: `0:1499=…`."""
SETTLED = "gamelake.settled"
"""In the summary of a snapshot of `events` that decided rows: their day."""
UNDECIDED_BEFORE = "gamelake.undecided-before"
"""In the same summary: `true` if no row of the replaced files was decided before, so that only rows were decided."""

MAX_REJECTED = 20

SCHEMA = {
    # `rollup` is a word of SQL.
    "kind": ("STRING", "What is added up: activity, purchases, players or ties"),
    "day": ("DATE", "The UTC day on which the events were received; NULL: all days together"),
    "minute": ("TIMESTAMP", "activity: the minute in which the events happened, which may be of an earlier day"),
    "family": ("STRING", "activity: the events' family"),
    "event_type": ("STRING", "activity, purchases: the events' type; ties: that of the latest event"),
    "strength": ("INT", "purchases: the strength of the items"),
    "player": ("STRING", "players: the player; ties: who declared or proposed it"),
    "target": ("STRING", "ties: the other player"),
    "number": ("BIGINT", "activity, purchases: how many events"),
    "gold": ("BIGINT", "players: by how much their gold changed"),
    "experience": ("BIGINT", "players: by how much their experience changed"),
    "power": ("BIGINT", "players: by how much their power changed"),
    "since": ("TIMESTAMP", "ties: when the latest event was received"),
    "event_id": ("STRING", "ties: the latest event"),
}
"""The columns of `rollups`: their types in Spark's SQL, and what they mean."""


TOTAL = "day IS NULL"
"""Of the rows that are of all days together."""


def events_snapshot(parent: int | None, base: str | None, snapshot: str | None) -> int | None:
    """Return the snapshot of `events` that a snapshot of `rollups` is of; None if it is not certain.

    `parent` is its parent, `base` and `snapshot` are what its summary says.
    """
    return int(snapshot) if snapshot and base == (None if parent is None else str(parent)) else None


def is_change(operation: str, settled: str | None) -> bool:
    """Whether a commit to `events` may decide rows, or change decided ones; `settled` is what its summary says.

    Appended rows are undecided, and a replacement has the same rows, unless it settled a day.
    """
    return operation not in ("append", "replace") or settled is not None


@dataclass(frozen=True)
class Rollup:
    """Events added up: the sums, or else the latest event, of each key. `select` makes a part of each event."""

    name: str
    columns: Sequence[str]
    where: str
    select: str
    key: Sequence[str]
    sums: Sequence[str] = ()
    latest: Sequence[str] = ()
    is_total: bool = True
    """Whether `rollups` has it of all days together, too."""

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.key, *self.sums, *self.latest)

    def all_parts(self, events: str) -> str:
        """Select a part of each event of the table that counts."""
        return self.select.format(also="", rows=counted(self.columns, events, self.where))

    def undecided_parts(self, events: str) -> str:
        """Select a part of each undecided event of the table that counts."""
        return self.select.format(also="", rows=undecided(self.columns, events, self.where))

    def totals(self, rollups: str) -> str:
        """Select what the table `rollups` has of all days together."""
        return f"SELECT {', '.join(self.names)} FROM {rollups} WHERE kind = '{self.name}' AND {TOTAL}"

    def decided_parts(self, events: str, where: str) -> str:
        """Select a part of each decided event that counts and matches `where`, with its day."""
        rows = f"SELECT {', '.join(self.columns)}, CAST(received_at AS DATE) AS day FROM {events}"
        return self.select.format(also="day, ", rows=f"{rows} WHERE counts AND {self.where} AND {where}")

    def merged(self, parts: str, *also: str) -> str:
        """Add up parts that have the columns `names` and `also`; the result has the same columns."""
        key, names = ", ".join((*also, *self.key)), ", ".join((*also, *self.names))
        if self.latest:
            order = ", ".join(f"{name} DESC" for name in self.latest)
            place = f"row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS place"
            return f"SELECT {names} FROM (SELECT {names}, {place} FROM ({parts}) AS parts) AS placed WHERE place = 1"
        sums = ", ".join(f"sum({name}) AS {name}" for name in self.sums)
        return f"SELECT {key}, {sums} FROM ({parts}) AS parts GROUP BY {key}"


def _literals(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(set(names)))


_TIES = {name: event_type for name, event_type in EVENT_TYPES.items() if "tie" in event_type.sets}
_POWER = _literals([name for name, event_type in EVENT_TYPES.items() if event_type.gives_power])

WAR = _literals([name for name, event_type in _TIES.items() if event_type.sets["tie"] == "war"])
"""The event types after which two players are at war, as a list of SQL literals."""

ACTIVITY = Rollup(
    "activity",
    columns=(f"{OCCURRED_AT} AS happened_at", "family", "event_type"),
    where=f"family <> '{ERASED}'",
    select="SELECT {also}date_trunc('minute', happened_at) AS minute, family, event_type, 1 AS number"
    " FROM ({rows}) AS event",
    key=("minute", "family", "event_type"),
    sums=("number",),
    is_total=False,
)

PURCHASES = Rollup(
    "purchases",
    columns=("event_type", "strength"),
    where="family = 'purchases'",
    select="SELECT {also}event_type, strength, 1 AS number FROM ({rows}) AS event",
    key=("event_type", "strength"),
    sums=("number",),
)

PLAYERS = Rollup(
    "players",
    columns=("player", "event_type", "gold", "experience", "strength", "target", "target_gold", "target_experience"),
    where=f"family NOT IN ('{ERASED}', '{REJECTED}')",
    # An event changes its player and, where it names another one and has amounts for them, its target.
    select="SELECT * FROM (SELECT {also}"
    "CASE WHEN is_target THEN event.target ELSE event.player END AS player, "
    "CASE WHEN is_target THEN event.target_gold ELSE event.gold END AS gold, "
    "CASE WHEN is_target THEN event.target_experience ELSE event.experience END AS experience, "
    f"CASE WHEN NOT is_target AND event.event_type IN ({_POWER}) THEN event.strength END AS power "
    "FROM ({rows}) AS event CROSS JOIN (VALUES (false), (true)) AS side (is_target) "
    "WHERE NOT is_target OR coalesce(event.target_gold, event.target_experience) IS NOT NULL"
    ") AS change WHERE player IS NOT NULL",
    key=("player",),
    sums=("gold", "experience", "power"),
)

TIES = Rollup(
    "ties",
    columns=("player", "event_type", "event_id", "target", "received_at"),
    where=f"family IN ({_literals([event_type.family for event_type in _TIES.values()])})"
    f" AND event_type IN ({_literals([*_TIES])})",
    select="SELECT {also}player, target, received_at AS since, event_id, event_type FROM ({rows}) AS event"
    " WHERE target IS NOT NULL",
    key=("player", "target"),
    latest=("since", "event_id", "event_type"),
)

ROLLUPS = (ACTIVITY, PURCHASES, PLAYERS, TIES)
